import type { Reader, Writer } from "../bytes.js";
import { HEADER_BYTES, headerCodec, type Header } from "./header.js";
import { KIND, isRegionKind } from "./kind.js";
import { isPeriod } from "./period.js";
import { READING_LEAF_BYTES } from "./reading.js";
import type { Rule } from "./struct.js";
import { elements } from "./vectors.js";

const MAX_LEAF_BYTES = 2 ** 24 - 1;

/** What a block and its proposal begin with. */
export interface SignedHeader {
  readonly header: Header;
  /** The leader's `sig("header", CBH)`, 64 bytes. */
  readonly scbh: Uint8Array;
}

export function writeSignedHeader(to: Writer, { header, scbh }: SignedHeader): void {
  to.raw(headerCodec.encode(header)).fixed(scbh, 64);
}

/** Periods are checked by the finest grid here, and by the real one in `headerRule`. */
export function readSignedHeader(from: Reader): SignedHeader {
  return { header: headerCodec.decode(from.fixed(HEADER_BYTES)), scbh: from.fixed(64) };
}

/** The header under the real `periodSeconds`, and no genesis: that is a header only. */
export const headerRule: Rule<SignedHeader> = ({ header }, periodSeconds) => {
  if (header.kind === 0) return "a genesis is no block";
  if (!isRegionKind(header.kind)) return undefined;
  return isPeriod(header.period, periodSeconds) ? undefined : "no such period";
};

/** "leaves[count]: a readings leaf: prid ‖ rc ‖ sig, 104 bytes; else opaque<1..2^24-1> of body ‖ issuer's sig" */
export function writeLeaves(to: Writer, { kind }: Header, leaves: readonly Uint8Array[]): void {
  for (const leaf of leaves) {
    if (kind === KIND.readings) to.fixed(leaf, READING_LEAF_BYTES);
    else to.opaque(leaf, 1, MAX_LEAF_BYTES);
  }
}

export function readLeaves(from: Reader, { kind, count }: Header): Uint8Array[] {
  // One copy for all of them: a block has thousands.
  if (kind === KIND.readings) return elements(from.fixed(count * READING_LEAF_BYTES), READING_LEAF_BYTES);
  const leaves: Uint8Array[] = [];
  while (leaves.length < count) leaves.push(from.opaque(1, MAX_LEAF_BYTES));
  return leaves;
}
