import { readPeriod, writePeriod, type Period } from "./period.js";
import { periodRule, regionRule, structCodec, type StructCodec } from "./struct.js";

/** KGCBP's verdict on a period with a fault: how many meters of each sort, never which. */
export interface Verdict {
  readonly region: number;
  readonly period: Period;
  readonly silent: number;
  readonly orphan: number;
  readonly implausible: number;
  readonly conflict: number;
  /** `caseRef`: only KGCBP can map it to a meter. 32 bytes. */
  readonly ref: Uint8Array;
}

/** The codec of Verdict. */
export const verdictCodec: StructCodec<Verdict> = structCodec<Verdict>({
  what: "verdict",
  write: (to, v) =>
    writePeriod(to.u16(v.region), v.period)
      .u16(v.silent)
      .u16(v.orphan)
      .u16(v.implausible)
      .u16(v.conflict)
      .fixed(v.ref, 32),
  read: (from) => ({
    region: from.u16(),
    period: readPeriod(from),
    silent: from.u16(),
    orphan: from.u16(),
    implausible: from.u16(),
    conflict: from.u16(),
    ref: from.fixed(32),
  }),
  rules: [regionRule, periodRule],
});
