import {
  deriveSeeds,
  encodeSigned,
  leaf,
  pridOf,
  ratchet,
  readingCodec,
  readingSecret,
  signStruct,
  splitReading,
  type Period,
  type Seeds,
} from "@veilgrid/protocol";
import type { HomeKeys, Run } from "@veilgrid/gateway";

/** What one half of a meter's reading is made with. */
export interface Half {
  /** H2(t), the one-time secret. */
  readonly secret: Uint8Array;
  readonly prid: Uint8Array;
  readonly z: Uint8Array;
}

/** The keys of a run's meters, as whoever broke into them would have them. */
export class MeterKeys {
  readonly #run: Run;
  readonly #consortium: Uint8Array;

  constructor(run: Run, consortium: Uint8Array) {
    this.#run = run;
    this.#consortium = consortium;
  }

  /** A home's month key: the first month's, ratcheted. */
  monthKey(household: number, month: number): Uint8Array {
    let { monthKey } = this.#run.keys.homes[household] as HomeKeys;
    for (let next = this.#run.record.input.first.month + 1; next <= month; next += 1) {
      monthKey = ratchet(monthKey, this.#consortium, next);
    }
    return monthKey;
  }

  seeds(household: number, month: number): Seeds {
    return deriveSeeds(this.monthKey(household, month), this.#consortium, month);
  }

  /** Both halves' keys in a period. */
  halves(household: number, { month, k }: Period): readonly [Half, Half] {
    const { s0, s1, r0, r1 } = this.seeds(household, month);
    const half = (s: Uint8Array, r: Uint8Array): Half => {
      const t = leaf(s, k);
      return { secret: readingSecret(t), prid: pridOf(t), z: leaf(r, k) };
    };
    return [half(s0, r0), half(s1, r1)];
  }

  /** Both signed readings of a consumption in Wh, 113 bytes each. */
  readings(household: number, period: Period, wh: bigint): readonly [Uint8Array, Uint8Array] {
    const [first, second] = this.halves(household, period);
    const { rc, rc2 } = splitReading(wh, first.z, second.z);
    const region = 1 + (household % this.#run.record.arguments.regions);
    return [this.sign(region, period, first, rc), this.sign(region, period, second, rc2)];
  }

  /** A signed reading that says `rc`, whatever key it is under. */
  sign(region: number, period: Period, { prid, secret }: Pick<Half, "prid" | "secret">, rc: bigint): Uint8Array {
    return encodeSigned(signStruct("reading", this.#consortium, readingCodec, { region, period, prid, rc }, secret));
  }
}
