import { createHash } from "node:crypto";
import { Reader, Writer, concat, equalBytes, utf8 } from "@veilgrid/protocol";
import type { LedgerBlock, LedgerTransaction, Write } from "../ports/ledger.js";
import { MAX_VECTOR, writeWrites } from "./rwset.js";

// The bytes of a ledger block, in the presentation language of PROTOCOL section 7. They know nothing of a consortium.
//
//   Header      { uint64 number; prev[32]; data[32] }        data: SHA-256 of the Data bytes
//   Data        { uint32 count; Transaction[count] }
//   Transaction { opaque txId<0..255>, caller<0..255>, name<0..2^16-1>; uint32 count; opaque args[count]<0..2^32-1>;
//                 uint32 count; { opaque key<0..2^32-1>; uint8 present; (present) opaque value<0..2^32-1> } [count];
//                 uint8 hasEvent; (hasEvent) { opaque name<0..2^16-1>, payload<0..2^32-1> }; opaque validation<0..255> }
//   Block       { Header; Data }
//
// A block's hash is SHA-256 of its header; prev of block 0 is zero. Texts are UTF-8.

/** `prev` of the first block. */
export const NO_BLOCK: Uint8Array = new Uint8Array(32);

const HEADER_BYTES = 72;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function writeTransaction(out: Writer, transaction: LedgerTransaction): void {
  out.opaque(utf8(transaction.txId), 0, 0xff).opaque(utf8(transaction.caller), 0, 0xff);
  out.opaque(utf8(transaction.call.name), 0, 0xffff).u32(transaction.call.args.length);
  for (const arg of transaction.call.args) out.opaque(utf8(arg), 0, MAX_VECTOR);
  writeWrites(out, transaction.writes);
  out.u8(transaction.event === undefined ? 0 : 1);
  if (transaction.event !== undefined) {
    out.opaque(utf8(transaction.event.name), 0, 0xffff).opaque(transaction.event.payload, 0, MAX_VECTOR);
  }
  out.opaque(utf8(transaction.validation), 0, 0xff);
}

/**
 * The bytes of `block` after a block whose hash is `prev`.
 * @throws VeilgridError `out-of-range` where a text is longer than its field.
 */
export function encodeBlock(block: LedgerBlock, prev: Uint8Array): Uint8Array {
  const data = new Writer().u32(block.transactions.length);
  for (const transaction of block.transactions) writeTransaction(data, transaction);
  const bytes = data.bytes();
  return concat(new Writer().u64(block.number).fixed(prev, 32).fixed(sha256(bytes), 32).bytes(), bytes);
}

/** A block's hash, which the next one names as `prev`. */
export function blockHash(block: Uint8Array): Uint8Array {
  return sha256(block.subarray(0, HEADER_BYTES));
}

/** What a block's header says. */
export interface BlockLinks {
  readonly number: bigint;
  /** Hash of the block before, 32 bytes. */
  readonly previous: Uint8Array;
  /** SHA-256 of the data, 32 bytes. */
  readonly data: Uint8Array;
}

/**
 * Reads a block's header; its data must be what it names.
 * @throws VeilgridError `malformed`.
 */
export function blockLinks(bytes: Uint8Array): BlockLinks {
  const reader = new Reader(bytes, "ledger block", MAX_VECTOR);
  const links = { number: reader.u64(), previous: reader.fixed(32), data: reader.fixed(32) };
  if (!equalBytes(links.data, sha256(bytes.subarray(HEADER_BYTES)))) {
    throw reader.refuse("its data are not what it names");
  }
  return links;
}

function text(reader: Reader, high: number): string {
  const bytes = reader.opaque(0, high);
  try {
    return strict.decode(bytes);
  } catch {
    throw reader.refuse("text that is not UTF-8");
  }
}

function flag(reader: Reader): boolean {
  const value = reader.u8();
  if (value > 1) throw reader.refuse("a flag that is neither 0 nor 1");
  return value === 1;
}

function list<T>(reader: Reader, item: () => T): T[] {
  const count = reader.u32();
  // Every element takes at least four bytes: a count that cannot be is not counted to.
  if (count * 4 > reader.left) throw reader.refuse("more elements than bytes");
  return Array.from({ length: count }, item);
}

function readWrite(reader: Reader): Write {
  const key = text(reader, MAX_VECTOR);
  return { key, value: flag(reader) ? reader.opaque(0, MAX_VECTOR) : undefined };
}

function readTransaction(reader: Reader): LedgerTransaction {
  const txId = text(reader, 0xff);
  const caller = text(reader, 0xff);
  const name = text(reader, 0xffff);
  const args = list(reader, () => text(reader, MAX_VECTOR));
  const writes = list(reader, () => readWrite(reader));
  const event = flag(reader) ? { name: text(reader, 0xffff), payload: reader.opaque(0, MAX_VECTOR) } : undefined;
  const validation = text(reader, 0xff);
  return { txId, caller, call: { name, args }, writes, ...(event === undefined ? {} : { event }), validation };
}

/**
 * Reads block `number`, which follows the block whose hash is `prev` (undefined: it is not looked at).
 * @throws VeilgridError `malformed` for other bytes, another number, another `prev`, or data that the header does not name.
 */
export function decodeBlock(bytes: Uint8Array, number: bigint, prev?: Uint8Array): LedgerBlock {
  const links = blockLinks(bytes);
  const reader = new Reader(bytes, "ledger block", MAX_VECTOR);
  reader.fixed(HEADER_BYTES);
  if (links.number !== number) throw reader.refuse("another number than its place");
  if (prev !== undefined && !equalBytes(links.previous, prev)) {
    throw reader.refuse("it does not follow the block before it");
  }
  const transactions = list(reader, () => readTransaction(reader));
  reader.end();
  return { number, transactions };
}
