import { addPeriods, comparePeriods, window, type Delivery, type Params, type Period } from "@veilgrid/protocol";
import { MonthKeys, type MonthKey } from "./monthkeys.js";

/** A chain of month keys as a meter stores it: its oldest key gives all later ones. */
export interface StoredChain {
  readonly region: number;
  /** The first period that it is used for. */
  readonly first: Period;
  readonly oldest: MonthKey;
}

/** A chain with what is derived from it. */
export interface OpenChain {
  readonly region: number;
  readonly first: Period;
  readonly keys: MonthKeys;
}

/** What a meter has from a delivery on: "valid from a stated period" (PROTOCOL section 4, Key generation). */
export function schedule(present: readonly StoredChain[], { keep, chains }: Delivery): StoredChain[] {
  const [next] = chains;
  const kept = keep ? present.filter(({ first }) => next !== undefined && comparePeriods(first, next.first) < 0) : [];
  return [...kept, ...chains.map(({ region, first, key }) => ({ region, first, oldest: { month: first.month, key } }))];
}

/** The key chains of a meter, ascending by their first period: one rules each period. */
export class KeyChains {
  readonly #consortium: Uint8Array;
  #chains: readonly OpenChain[];

  constructor(consortium: Uint8Array, chains: readonly StoredChain[]) {
    this.#consortium = consortium;
    this.#chains = chains.map((chain) => this.#open(chain));
  }

  #open({ region, first, oldest }: StoredChain): OpenChain {
    return { region, first, keys: new MonthKeys(this.#consortium, oldest) };
  }

  /** What the meter keeps of them. */
  get stored(): StoredChain[] {
    return this.#chains.map(({ region, first, keys }) => ({ region, first, oldest: keys.oldest }));
  }

  /** The chain that rules a period; undefined before the first one begins, and where the month's key is deleted. */
  at(period: Period): OpenChain | undefined {
    const ruling = this.#chains.findLast(({ first }) => comparePeriods(first, period) <= 0);
    return ruling === undefined || period.month < ruling.keys.oldest.month ? undefined : ruling;
  }

  /** Takes other chains in the place of all these, whose secrets are overwritten. */
  replace(chains: readonly StoredChain[]): void {
    const before = this.#chains;
    this.#chains = chains.map((chain) => this.#open(chain));
    for (const { keys } of before) keys.erase();
  }

  /**
   * "the meter deletes K_M after M's last window", and a chain whose successor has begun after the last window of its
   * own: nothing taken from the meter opens what was signed under it.
   * @param month the first month whose last window is not over.
   * @param now by the meter's clock, Unix milliseconds.
   * @returns whether anything was deleted.
   */
  forget(month: number, now: number, params: Params): boolean {
    const over = this.#chains.filter((_, i) => {
      const next = this.#chains[i + 1];
      if (next === undefined) return false;
      return window(addPeriods(next.first, -1, params.periodSeconds), params).closes <= now;
    });
    for (const { keys } of over) keys.erase();
    this.#chains = this.#chains.filter((chain) => !over.includes(chain));
    const turned = this.#chains.filter(({ keys }) => keys.oldest.month < month);
    for (const { keys } of turned) keys.deleteBefore(month);
    return over.length + turned.length > 0;
  }
}
