import { VeilgridError, deriveSeeds, leaves, monthName, ratchet, type Period, type Seeds } from "@veilgrid/protocol";

/** A month's key K_M, 32 bytes; `month` is 12·year + (month-1). */
export interface MonthKey {
  readonly month: number;
  readonly key: Uint8Array;
}

/** The GGM leaves of one period, 32 bytes each: t = f_s(k), t' = f_s'(k), z = f_r(k), z' = f_r'(k). */
export interface PeriodLeaves {
  readonly t: Uint8Array;
  readonly t2: Uint8Array;
  readonly z: Uint8Array;
  readonly z2: Uint8Array;
}

/** Periods derived at a time: one pass over a small subtree costs 1.5 PRG calls a leaf where a walk costs 12. */
const RUN = 16;

/** One month's key with what was derived from it last. */
class Month {
  readonly key: Uint8Array;
  readonly #seeds: Seeds;
  #first = -1;
  #run: readonly (readonly Uint8Array[])[] = [];

  constructor(key: Uint8Array, consortium: Uint8Array, month: number) {
    this.key = key;
    this.#seeds = deriveSeeds(key, consortium, month);
  }

  leavesAt(k: number): PeriodLeaves {
    const first = k - (k % RUN);
    if (first !== this.#first) {
      const { s0, s1, r0, r1 } = this.#seeds;
      this.#run = [s0, s1, r0, r1].map((seed) => leaves(seed, first, RUN));
      this.#first = first;
    }
    const [t, t2, z, z2] = this.#run.map((run) => run[k - first]) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    return { t, t2, z, z2 };
  }

  /** As far as JavaScript can: the secrets' own bytes are overwritten. */
  erase(): void {
    const { s0, s1, r0, r1 } = this.#seeds;
    for (const secret of [this.key, s0, s1, r0, r1, ...this.#run.flat()]) secret.fill(0);
  }
}

/**
 * The meter's ratchet: from the oldest month whose key it still has, later ones follow without any traffic
 * (PROTOCOL section 4, Key generation).
 */
export class MonthKeys {
  readonly #consortium: Uint8Array;
  readonly #months = new Map<number, Month>();
  #oldest: number;

  constructor(consortium: Uint8Array, { month, key }: MonthKey) {
    this.#consortium = consortium;
    this.#oldest = month;
    this.#months.set(month, new Month(key.slice(), consortium, month));
  }

  /** The oldest key that is still here: what the meter stores, since all later ones follow from it. */
  get oldest(): MonthKey {
    const { key } = this.#month(this.#oldest);
    return { month: this.#oldest, key: key.slice() };
  }

  /** @throws VeilgridError `key-deleted` for a month whose key is no longer here. */
  leavesAt(period: Period): PeriodLeaves {
    return this.#month(period.month).leavesAt(period.k);
  }

  /** "the meter deletes K_M after M's last window": all keys before `month`; its own is derived first. */
  deleteBefore(month: number): void {
    this.#month(Math.max(month, this.#oldest));
    for (; this.#oldest < month; this.#oldest += 1) {
      this.#months.get(this.#oldest)?.erase();
      this.#months.delete(this.#oldest);
    }
  }

  /** Overwrites everything; of no use afterwards. */
  erase(): void {
    for (const month of this.#months.values()) month.erase();
  }

  #month(month: number): Month {
    const known = this.#months.get(month);
    if (known !== undefined) return known;
    if (month < this.#oldest) {
      throw new VeilgridError("key-deleted", `the key of ${monthName(month)} is deleted`, {
        facts: { month: monthName(month) },
        blame: "caller",
      });
    }
    const before = this.#month(month - 1);
    const made = new Month(ratchet(before.key, this.#consortium, month), this.#consortium, month);
    this.#months.set(month, made);
    return made;
  }
}
