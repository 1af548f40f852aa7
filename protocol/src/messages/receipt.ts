import { MAX_INPUT_BYTES, Reader, Writer, concat } from "../bytes.js";
import { VeilgridError, type Facts } from "../errors.js";
import type { VerifiedSignatures } from "../memory.js";
import { verifyPath } from "../merkle.js";
import { ACK_BYTES, ackCodec, type Ack } from "./ack.js";
import { SIG_BYTES } from "./leaf.js";
import { readingHash as hashOfReading } from "./hashes.js";
import type { Member, Params } from "./params.js";
import { samePeriod } from "./period.js";
import { quorum as quorumOf } from "./quorum.js";
import { READING_BYTES, SIGNED_READING_BYTES, readingCodec } from "./reading.js";
import { decodeSigned, verifySigned, type Signed } from "./signed.js";
import { unfit } from "./struct.js";
import { elements } from "./vectors.js";

const HASH_BYTES = 32;
const MAX_PATH_BYTES = 256;

/** One DA's ack of a bundle, and where in it the reading stands. */
export interface ReceiptEntry extends Signed<Ack> {
  readonly index: number;
  /** RFC 6962 path, from the leaf's sibling upwards; 32 bytes each. */
  readonly path: readonly Uint8Array[];
}

/** Q acks of one reading. */
export type Receipt = readonly ReceiptEntry[];

/** How many hashes the path of leaf `index` of `count` has (RFC 9162 section 2.1.3.2). */
function pathLength(index: number, count: number): number {
  let length = 0;
  for (let at = index, last = count - 1; last > 0; at >>>= 1, last >>>= 1) if (at % 2 === 1 || at < last) length += 1;
  return length;
}

/** The params version that a receipt's acks name, before anything of it is verified. @throws VeilgridError `malformed` */
export function receiptVersion(bytes: Uint8Array): number {
  return new Reader(bytes, "receipt").u16();
}

/** Why entries are no receipt, or nothing. */
function flaw(receipt: Receipt): string | undefined {
  const { region, period, params } = (receipt[0] as ReceiptEntry).body;
  for (const [i, { body, index, path }] of receipt.entries()) {
    // "ascending by da, equal in params, Region and Period"
    if (i > 0 && body.da <= (receipt[i - 1] as ReceiptEntry).body.da) return "acks not ascending";
    const same = body.params === params && body.region === region && samePeriod(body.period, period);
    if (!same) return "acks of different periods or versions";
    if (index >= body.count || path.length !== pathLength(index, body.count)) return "a path that is none of its leaf";
  }
  return undefined;
}

function writeEntry(to: Writer, { bytes, sig, index, path }: Omit<ReceiptEntry, "body">): void {
  to.fixed(bytes, ACK_BYTES)
    .fixed(sig, SIG_BYTES)
    .u16(index)
    .opaque(concat(...path), 0, MAX_PATH_BYTES);
}

function readEntry(from: Reader, periodSeconds?: number): ReceiptEntry {
  const ack = decodeSigned(ackCodec, from.fixed(ACK_BYTES + SIG_BYTES), periodSeconds);
  const [index, path] = [from.u16(), from.opaque(0, MAX_PATH_BYTES)];
  if (path.length % HASH_BYTES !== 0) throw from.refuse("hashes that are not 32 bytes each");
  return { ...ack, index, path: elements(path, HASH_BYTES) };
}

/**
 * "A receipt is Q x (Ack ‖ sig ‖ uint16 index ‖ opaque path<0..256>), ascending by da": sorts what the DA has gathered.
 * @throws VeilgridError `out-of-range` where the acks do not belong together.
 */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const ascending = [...receipt].sort((a, b) => a.body.da - b.body.da);
  const why = ascending.length === 0 ? "no ack" : flaw(ascending);
  if (why !== undefined) throw unfit("receipt", why);
  const writer = new Writer();
  for (const entry of ascending) writeEntry(writer, entry);
  return writer.bytes();
}

/** Reads a receipt of Q acks; nothing is verified. @throws VeilgridError `malformed` */
export function decodeReceipt(bytes: Uint8Array, quorum: number, periodSeconds?: number): Receipt {
  const reader = new Reader(bytes, "receipt", MAX_INPUT_BYTES);
  const receipt = Array.from({ length: quorum }, () => readEntry(reader, periodSeconds));
  reader.end();
  const why = flaw(receipt);
  if (why !== undefined) throw reader.refuse(why);
  return receipt;
}

function refuse(code: string, message: string, facts: Facts): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "peer" });
}

function verifyEntry(
  consortium: Uint8Array,
  member: Member | undefined,
  entry: ReceiptEntry,
  readingHash: Uint8Array,
  memory?: VerifiedSignatures,
): void {
  const { da, count, root } = entry.body;
  if (member === undefined) throw refuse("not-a-member", "no such DA in this params version", { da });
  if (!verifyPath(readingHash, entry.index, count, entry.path, root)) {
    throw refuse("not-acked", "the ack is not of this reading", { da });
  }
  if (!verifySigned("ack", consortium, entry, member.key, memory)) {
    throw refuse("bad-signature", "an ack is not signed by its DA", { da });
  }
}

/**
 * Checks that `receipt` holds valid acks of the reading by Q distinct DAs of `params`. Region and Period that the acks
 * name are returned: whoever has the reading itself compares them (`verifyReceiptOf` does).
 * @param readingHash of the reading, 32 bytes.
 * @throws VeilgridError `malformed`, `wrong-params`, `not-a-member`, `not-acked`, `bad-signature`.
 */
export function verifyReceipt(
  consortium: Uint8Array,
  params: Params,
  receipt: Uint8Array,
  readingHash: Uint8Array,
  memory?: VerifiedSignatures,
): Receipt {
  const entries = decodeReceipt(receipt, quorumOf(params.da.length), params.periodSeconds);
  const { params: named } = (entries[0] as ReceiptEntry).body;
  if (named !== params.version) {
    throw refuse("wrong-params", "the acks name another params version", { named, version: params.version });
  }
  for (const entry of entries) verifyEntry(consortium, params.da[entry.body.da], entry, readingHash, memory);
  return entries;
}

/**
 * `verifyReceipt` for a signed reading (113 bytes), whose region and period the acks must name.
 * @throws VeilgridError as `verifyReceipt`; `not-acked` for another region or period.
 */
export function verifyReceiptOf(
  consortium: Uint8Array,
  params: Params,
  receipt: Uint8Array,
  signedReading: Uint8Array,
  memory?: VerifiedSignatures,
): Receipt {
  if (signedReading.length !== SIGNED_READING_BYTES) throw unfit("signed reading", `${signedReading.length} bytes`);
  const reading = readingCodec.decode(signedReading.subarray(0, READING_BYTES), params.periodSeconds);
  const entries = verifyReceipt(consortium, params, receipt, hashOfReading(signedReading), memory);
  const { da, region, period } = (entries[0] as ReceiptEntry).body;
  if (region === reading.region && samePeriod(period, reading.period)) return entries;
  throw refuse("not-acked", "the acks are of another region or period", { da });
}
