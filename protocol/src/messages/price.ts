import { readPeriod, writePeriod, type Period } from "./period.js";
import { periodRule, regionRule, rule, structCodec, type StructCodec } from "./struct.js";
import { isZero } from "./vectors.js";

/** What a price rests on. */
export const BASIS = { measured: 1, tooFew: 2, lateRelease: 3, empty: 4, noEpoch: 5 } as const;

export type PriceBasis = 1 | 2 | 3 | 4 | 5;

/** CC's price of one region-period. */
export interface Price {
  readonly region: number;
  readonly period: Period;
  /** Micro-units of the currency per kWh; may be negative. */
  readonly price: bigint;
  readonly basis: PriceBasis;
  /** Regional consumption in Wh; 0 unless measured. */
  readonly consumption: bigint;
  /** CBH of the readings block; zero only for no-epoch. 32 bytes. */
  readonly cbh: Uint8Array;
}

function isBasis(value: number): value is PriceBasis {
  return value >= BASIS.measured && value <= BASIS.noEpoch;
}

/** The codec of Price. */
export const priceCodec: StructCodec<Price> = structCodec<Price>({
  what: "price",
  write: (to, v) =>
    writePeriod(to.u16(v.region), v.period).i64(v.price).u8(v.basis).i64(v.consumption).fixed(v.cbh, 32),
  read(from) {
    const head = { region: from.u16(), period: readPeriod(from), price: from.i64() };
    const basis = from.u8();
    if (!isBasis(basis)) throw from.refuse(`basis ${basis}`);
    return { ...head, basis, consumption: from.i64(), cbh: from.fixed(32) };
  },
  rules: [
    regionRule,
    periodRule,
    // "otherwise consumption is 0"
    rule("consumption without a measurement", (v) => v.basis === BASIS.measured || v.consumption === 0n),
    // "cbh: the readings block's; zero only for no-epoch"
    rule("cbh does not fit the basis", (v) => (v.basis === BASIS.noEpoch) === isZero(v.cbh)),
  ],
});
