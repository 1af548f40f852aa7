import { createHash } from "node:crypto";
import { Writer, concat, equalBytes, utf8 } from "@veilgrid/protocol";
import { badBlock } from "./faults.js";
import { BLOCK, BLOCK_DATA, BLOCK_HEADER, BLOCK_METADATA, METADATA, METADATA_INDEX } from "./fields.js";
import { Message } from "./protobuf.js";
import type { RawBlock } from "./source.js";

/** A block's parts, before its transactions are looked at. */
export interface BlockParts {
  readonly number: bigint;
  /** Header hash of the block before; empty for block 0. */
  readonly previous: Uint8Array;
  /** SHA-256 of the envelopes, end to end. */
  readonly dataHash: Uint8Array;
  /** SHA-256 of the header, 32 bytes: what the next block names, and Fabric's name for everything up to this block. */
  readonly hash: Uint8Array;
  /** The envelopes, one per transaction. */
  readonly data: readonly Uint8Array[];
  /** The peer's verdict on each transaction, one byte each: `TxValidationCode`. */
  readonly flags: Uint8Array;
  /** The peer's commit hash, 32 bytes; undefined for block 0. */
  readonly commitHash: Uint8Array | undefined;
}

const INTEGER = 0x02;
const OCTETS = 0x04;
const SEQUENCE = 0x30;

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** One element in DER; what is in a header is shorter than 128 bytes, unless a peer makes it up. */
function der(tag: number, content: Uint8Array): Uint8Array {
  if (content.length > 127) throw badBlock("a header with hashes that are none");
  return concat(Uint8Array.of(tag, content.length), content);
}

/** A block's number in DER: big-endian, no needless zero, the first bit clear. */
function integer(value: bigint): Uint8Array {
  const bytes = new Writer().u8(0).u64(value).bytes();
  let start = 0;
  while (start < 8 && bytes[start] === 0 && (bytes[start + 1] as number) < 0x80) start += 1;
  return der(INTEGER, bytes.subarray(start));
}

/**
 * A header's hash: SHA-256 of SEQUENCE { number INTEGER, previous OCTET STRING, data OCTET STRING } in DER, as
 * `protoutil.BlockHeaderHash` of Fabric 3.1.1 makes it.
 */
export function headerHash(number: bigint, previous: Uint8Array, dataHash: Uint8Array): Uint8Array {
  return sha256(der(SEQUENCE, concat(integer(number), der(OCTETS, previous), der(OCTETS, dataHash))));
}

/** A header names its data by SHA-256 over the envelopes, end to end: `protoutil.ComputeBlockDataHash`. */
function requireData(dataHash: Uint8Array, data: readonly Uint8Array[]): void {
  if (!equalBytes(dataHash, sha256(...data))) throw badBlock("its data are not what its header names");
}

function readCommitHash(metadata: readonly Uint8Array[]): Uint8Array | undefined {
  const value = new Message(metadata[METADATA_INDEX.commitHash] ?? new Uint8Array()).bytes(METADATA.value);
  if (value.length === 0) return undefined;
  if (value.length !== 32) throw badBlock("a commit hash that is none");
  return value.slice();
}

/**
 * Takes a block apart and checks that it is one: its data are those of its header, and each has a verdict. Whether it
 * follows the block before is for who knows that one.
 * @throws VeilgridError `bad-fabric-block`.
 */
export function readBlock(raw: RawBlock): BlockParts {
  const block = new Message(raw);
  if (!block.has(BLOCK.header)) throw badBlock("a block without a header");
  const header = block.message(BLOCK.header);
  const number = header.number(BLOCK_HEADER.number);
  const previous = header.bytes(BLOCK_HEADER.previousHash).slice();
  const dataHash = header.bytes(BLOCK_HEADER.dataHash);
  const data = block.message(BLOCK.data).list(BLOCK_DATA.data);
  requireData(dataHash, data);
  const metadata = block.message(BLOCK.metadata).list(BLOCK_METADATA.metadata);
  const flags = (metadata[METADATA_INDEX.transactionsFilter] ?? new Uint8Array()).slice();
  if (flags.length !== data.length) throw badBlock("not one verdict for each transaction");
  const hash = headerHash(number, previous, dataHash);
  return { number, previous, dataHash, hash, data, flags, commitHash: readCommitHash(metadata) };
}

/**
 * The peer's commit hash of a block: SHA-256 over the verdicts, all updates of its state database and the commit hash of
 * the block before (`kvLedger.addBlockCommitHash` of Fabric 3.1.1), so peers that agree on it have the same state. 32
 * bytes; undefined for block 0, which has none.
 * @throws VeilgridError `bad-fabric-block`.
 */
export function commitHash(raw: RawBlock): Uint8Array | undefined {
  return readBlock(raw).commitHash;
}

/**
 * What a block was, 32 bytes: its header, and which of its transactions counted. The header's hash alone says nothing of
 * the verdicts, which are each peer's own.
 */
export function fingerprint({ hash, flags }: Pick<BlockParts, "hash" | "flags">): Uint8Array {
  return sha256(utf8("veilgrid fabric block"), hash, flags);
}
