import { READING_LEAF_BYTES } from "./reading.js";
import { concat } from "../bytes.js";
import { paramsRule, regionRule, rule, structCodec, type StructCodec } from "./struct.js";
import { elements, strictlyAscending } from "./vectors.js";

const MAX_MISSING_BYTES = 2 ** 21 - 1;

/** A DA's answer to a proposal that leaves out readings which it acked. */
export interface Incomplete {
  readonly params: number;
  readonly region: number;
  readonly number: bigint;
  readonly term: bigint;
  readonly round: number;
  readonly da: number;
  /** Reading leaves (104 bytes each), ascending. */
  readonly missing: readonly Uint8Array[];
}

/** The codec of Incomplete. */
export const incompleteCodec: StructCodec<Incomplete> = structCodec<Incomplete>({
  what: "incomplete",
  write: (to, v) =>
    to
      .u16(v.params)
      .u16(v.region)
      .u64(v.number)
      .u64(v.term)
      .u32(v.round)
      .u8(v.da)
      .opaque(concat(...v.missing), READING_LEAF_BYTES, MAX_MISSING_BYTES),
  read(from) {
    const head = { params: from.u16(), region: from.u16(), number: from.u64(), term: from.u64() };
    const [round, da, missing] = [from.u32(), from.u8(), from.opaque(READING_LEAF_BYTES, MAX_MISSING_BYTES)];
    if (missing.length % READING_LEAF_BYTES !== 0) throw from.refuse("leaves that are not 104 bytes each");
    return { ...head, round, da, missing: elements(missing, READING_LEAF_BYTES) };
  },
  rules: [
    paramsRule,
    regionRule,
    rule("number or term 0", (v) => v.number >= 1n && v.term >= 1n),
    rule("length of a leaf", (v) => v.missing.every((leaf) => leaf.length === READING_LEAF_BYTES)),
    rule("leaves not ascending", (v) => strictlyAscending(v.missing)),
  ],
});
