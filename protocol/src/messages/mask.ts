import { concat } from "../bytes.js";
import { readPeriod, writePeriod, type Period } from "./period.js";
import { periodRule, regionRule, rule, structCodec, type StructCodec } from "./struct.js";
import { elements, strictlyAscending } from "./vectors.js";

const MAX_EXCLUDED_BYTES = 2 ** 21 - 1;

/** Status of a mask release. */
export const MASK_STATUS = { released: 1, tooFew: 2 } as const;

/** KGCBP's release of the masks of one committed readings block. */
export interface Mask {
  readonly region: number;
  readonly period: Period;
  /** CBH of the readings block, 32 bytes. */
  readonly cbh: Uint8Array;
  readonly status: 1 | 2;
  /** Mask sum of the counted readings in Z_2^64. */
  readonly z: bigint;
  /** Excluded PRIDs of the block (32 bytes each), ascending. */
  readonly excluded: readonly Uint8Array[];
}

/** The codec of Mask. */
export const maskCodec: StructCodec<Mask> = structCodec<Mask>({
  what: "mask",
  write: (to, v) =>
    writePeriod(to.u16(v.region), v.period)
      .fixed(v.cbh, 32)
      .u8(v.status)
      .u64(v.z)
      .opaque(concat(...v.excluded), 0, MAX_EXCLUDED_BYTES),
  read(from) {
    const [region, period, cbh, status] = [from.u16(), readPeriod(from), from.fixed(32), from.u8()];
    if (status !== MASK_STATUS.released && status !== MASK_STATUS.tooFew) throw from.refuse(`status ${status}`);
    const [z, excluded] = [from.u64(), from.opaque(0, MAX_EXCLUDED_BYTES)];
    if (excluded.length % 32 !== 0) throw from.refuse("PRIDs that are not 32 bytes each");
    return { region, period, cbh, status, z, excluded: elements(excluded, 32) };
  },
  rules: [
    regionRule,
    periodRule,
    rule("length of a PRID", (v) => v.excluded.every((prid) => prid.length === 32)),
    rule("PRIDs not ascending", (v) => strictlyAscending(v.excluded)),
    // "the status is too few, Z = 0, `excluded` is empty"
    rule("too few with a release", (v) => v.status === MASK_STATUS.released || (v.z === 0n && v.excluded.length === 0)),
  ],
});
