import { isMonth } from "./period.js";
import { regionRule, rule, structCodec, type StructCodec } from "./struct.js";

/** KGCBP's word that a region-month's bills are out and its bulk values may go. */
export interface Close {
  readonly region: number;
  readonly month: number;
}

/** The codec of Close. */
export const closeCodec: StructCodec<Close> = structCodec<Close>({
  what: "close",
  write: (to, v) => to.u16(v.region).u32(v.month),
  read: (from) => ({ region: from.u16(), month: from.u32() }),
  rules: [regionRule, rule("month", (v) => isMonth(v.month))],
});
