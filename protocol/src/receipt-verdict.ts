import { equalBytes } from "./bytes.js";
import { VeilgridError } from "./errors.js";
import type { VerifiedSignatures } from "./memory.js";
import { SIG_BYTES } from "./messages/leaf.js";
import type { Params } from "./messages/params.js";
import { READING_BYTES, readingCodec, readingLeaf } from "./messages/reading.js";
import { type Receipt, verifyReceiptOf } from "./messages/receipt.js";
import { verifyBody } from "./sig.js";

/** The committed readings block of a receipt's region-period. */
export interface ReceiptBlock {
  /** Its leaves, 104 bytes each. */
  readonly leaves: readonly Uint8Array[];
  /** The DAs whose votes are with it, by index. */
  readonly voters: readonly number[];
}

/** Whether those who signed a receipt kept their word. */
export type ReceiptVerdict =
  | { readonly verdict: "acquitted"; readonly by: "reading" | "two-others" }
  /** The DAs, by index, that acked the reading and voted for the block without it. */
  | { readonly verdict: "convicted"; readonly das: readonly number[] };

/**
 * Checks a signed reading and its receipt: whoever shows anything else accuses nobody.
 * @param params the version that rules the period: the acks of another, whose keys may be in any hands, promise nothing.
 * @param signedReading Reading ‖ sig, 113 bytes.
 * @throws VeilgridError as `verifyReceiptOf`; `bad-signature` for a reading that its PRID did not sign.
 */
export function verifyReceipted(
  consortium: Uint8Array,
  params: Params,
  { reading: signedReading, receipt }: { readonly reading: Uint8Array; readonly receipt: Uint8Array },
  memory?: VerifiedSignatures,
): Receipt {
  const entries = verifyReceiptOf(consortium, params, receipt, signedReading, memory);
  const [body, sig] = [signedReading.subarray(0, READING_BYTES), signedReading.subarray(-SIG_BYTES)];
  const { prid } = readingCodec.decode(body, params.periodSeconds);
  if (verifyBody("reading", consortium, body, sig, prid, memory)) return entries;
  throw new VeilgridError("bad-signature", "the reading is not signed by its PRID", { blame: "peer" });
}

/**
 * "A receipted reading (or two others of its PRID) is on the ledger, unless more than f DAs lie; then the receipt convicts
 * the voters of that block who acked it" (PROTOCOL section 5). Two quorums share a DA, so that a conviction has a name.
 * @param entries as `verifyReceipted` gave them.
 */
export function judgeReceipt(
  signedReading: Uint8Array,
  entries: Receipt,
  { leaves, voters }: ReceiptBlock,
): ReceiptVerdict {
  const own = readingLeaf(signedReading);
  if (leaves.some((leaf) => equalBytes(leaf, own))) return { verdict: "acquitted", by: "reading" };
  const { prid } = readingCodec.decode(signedReading.subarray(0, READING_BYTES));
  const others = leaves.filter((leaf) => equalBytes(leaf.subarray(0, prid.length), prid));
  if (others.length >= 2) return { verdict: "acquitted", by: "two-others" };
  return { verdict: "convicted", das: entries.map(({ body }) => body.da).filter((da) => voters.includes(da)) };
}
