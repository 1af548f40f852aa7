import { Reader, Writer, equalBytes } from "./bytes.js";
import { VeilgridError } from "./errors.js";
import { checkParamsLeaf } from "./ledger/succession.js";
import type { LedgerView } from "./ledger/view.js";
import type { VerifiedSignatures } from "./memory.js";
import { merkleRoot } from "./merkle.js";
import { blockCodec } from "./messages/block.js";
import { verifyVotes } from "./messages/certificates.js";
import { blockHash } from "./messages/hashes.js";
import { headerCodec, type Header } from "./messages/header.js";
import { KIND } from "./messages/kind.js";
import type { Params } from "./messages/params.js";

/** A committed params block, as whoever has the ledger hands it out. */
export interface ParamsProof {
  /** The encoded block. */
  readonly block: Uint8Array;
  /** Exactly Q x (Vote ‖ sig) of the version before. */
  readonly cert: Uint8Array;
}

/** A version that is proved, and from when on it is in force. */
export interface ProvedVersion {
  readonly params: Params;
  /** TS of its block, Unix milliseconds. */
  readonly since: number;
}

const MAX_BLOCK_BYTES = 2 ** 21 - 1;
const MAX_CERT_BYTES = 2 ** 16 - 1;

/** Asks a DA for the versions after one: uint16 version. */
export function encodeParamsWish(version: number): Uint8Array {
  return new Writer().u16(version).bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeParamsWish(bytes: Uint8Array): number {
  const reader = new Reader(bytes, "wish for params");
  const version = reader.u16();
  reader.end();
  return version;
}

/** Params blocks of consecutive versions: each { opaque block<1..2^21-1>; opaque certificate<1..2^16-1> }. */
export function encodeParamsProofs(proofs: readonly ParamsProof[]): Uint8Array {
  const writer = new Writer();
  for (const { block, cert } of proofs) writer.opaque(block, 1, MAX_BLOCK_BYTES).opaque(cert, 1, MAX_CERT_BYTES);
  return writer.bytes();
}

/** @throws VeilgridError `malformed`; nothing is verified yet. */
export function decodeParamsProofs(bytes: Uint8Array): ParamsProof[] {
  const reader = new Reader(bytes, "params blocks");
  const proofs: ParamsProof[] = [];
  while (reader.left > 0) {
    proofs.push({ block: reader.opaque(1, MAX_BLOCK_BYTES), cert: reader.opaque(1, MAX_CERT_BYTES) });
  }
  return proofs;
}

/** The proof of a version above 1 off a ledger's state; undefined where the ledger has no such version. */
export async function paramsProof(view: LedgerView, version: number): Promise<ParamsProof | undefined> {
  const number = await view.paramsBlock(version);
  const found = number === undefined ? undefined : await view.block(0, number);
  return found && { block: found.bytes, cert: found.cert };
}

function unproved(why: string, version: number): VeilgridError {
  return new VeilgridError("unproved-params", `a params block does not hold: ${why}`, {
    facts: { why, version },
    blame: "peer",
  });
}

function checkPlace(header: Header, consortium: Uint8Array, before: Params): void {
  if (!equalBytes(header.consortium, consortium)) throw unproved("another consortium", before.version + 1);
  if (header.kind !== KIND.params) throw unproved("another kind of block", before.version + 1);
  // "Header … carry one `params`: … the version current before the block"
  if (header.params !== before.version) throw unproved("another version before it", before.version + 1);
}

/**
 * The version that a params block brings, for who knows the version before it and nothing else: "version + 1, voted by Q of
 * the old set, with a proof of possession by each new key" (PROTOCOL section 4, Setup).
 * @throws VeilgridError `unproved-params`, `malformed`, and the refusals of votes and leaf.
 */
export function verifySuccessor(
  consortium: Uint8Array,
  before: Params,
  { block: bytes, cert }: ParamsProof,
  memory?: VerifiedSignatures,
): ProvedVersion {
  const { header, leaves } = blockCodec.decode(bytes, before.periodSeconds);
  checkPlace(header, consortium, before);
  const cbh = blockHash(headerCodec.encode(header));
  verifyVotes(consortium, before, cert, { ...header, cbh }, memory);
  if (!equalBytes(merkleRoot(leaves), header.root)) throw unproved("the Merkle root", before.version + 1);
  const { params } = checkParamsLeaf(consortium, before, leaves[0] as Uint8Array, memory);
  return { params, since: Number(header.ts) };
}

/**
 * Follows a chain of params blocks from a known version on, each proved by the votes of the one before.
 * @returns the versions after `known`, in their order.
 * @throws VeilgridError as `verifySuccessor`, for the first block that does not hold.
 */
export function verifyVersions(
  consortium: Uint8Array,
  known: Params,
  proofs: readonly ParamsProof[],
  memory?: VerifiedSignatures,
): ProvedVersion[] {
  const versions: ProvedVersion[] = [];
  let before = known;
  for (const proof of proofs) {
    const version = verifySuccessor(consortium, before, proof, memory);
    versions.push(version);
    before = version.params;
  }
  return versions;
}
