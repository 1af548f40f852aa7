import {
  comparePeriods,
  periodRange,
  periodsInMonth,
  type Epoch,
  type EpochEntry,
  type LedgerView,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Membership } from "./membership.js";

/** An epoch with the parameter set that it names and the periods it covers, in their order. */
export interface KnownEpoch {
  readonly epoch: Epoch;
  readonly params: Params;
  readonly periods: readonly Period[];
}

/** What an epoch says of one period. */
export interface Covering extends KnownEpoch {
  readonly entry: EpochEntry;
}

/** Puts a decoded epoch beside its parameter set. */
export function knownEpoch(epoch: Epoch, params: Params): KnownEpoch {
  return { epoch, params, periods: [...periodRange(epoch.first, epoch.periods, params.periodSeconds)] };
}

/** What the epoch says of a period, if it covers it. */
export function coverOf(known: KnownEpoch, { month, k }: Period): Covering | undefined {
  const { first, entries } = known.epoch;
  // The periods of an epoch are of one day, hence of one month.
  const entry = month === first.month ? entries[k - first.k] : undefined;
  return entry && { ...known, entry };
}

/** The committed epochs whose periods are not all committed, so that a reading needs no ledger query. */
export class Epochs {
  readonly #view: LedgerView;
  readonly #membership: Membership;
  readonly #known = new Map<number, KnownEpoch[]>();

  constructor(modules: { readonly view: LedgerView; readonly membership: Membership }) {
    this.#view = modules.view;
    this.#membership = modules.membership;
  }

  /** The committed epoch that covers a period. */
  async at(region: number, period: Period): Promise<Covering | undefined> {
    for (const known of this.#known.get(region) ?? []) {
      const found = coverOf(known, period);
      if (found !== undefined) return found;
    }
    const found = await this.#view.epochAt(region, period);
    if (found === undefined) return undefined;
    const known = knownEpoch(found.epoch, await this.#membership.params(found.epoch.params));
    const list = this.#known.get(region) ?? [];
    // Another call may have put it in meanwhile.
    if (!list.some(({ epoch }) => comparePeriods(epoch.first, found.epoch.first) === 0)) {
      this.#known.set(region, [...list, known]);
    }
    return coverOf(known, period);
  }

  /** The params that rule a period: its epoch's, else the current ones. */
  async paramsOf(region: number, period: Period): Promise<Params> {
    return (await this.#view.periodParams(region, period)) ?? this.#membership.current;
  }

  /** The first period after `after` that a committed epoch covers; without `after` the region's next to commit. */
  async nextCovered(region: number, after: Period | undefined): Promise<Period | undefined> {
    if (after === undefined) return this.#view.nextReadings(region);
    const { lastCovered } = await this.#view.head(region);
    if (lastCovered === undefined) return undefined;
    const { periodSeconds } = this.#membership.current;
    for (let { month, k } = { month: after.month, k: after.k + 1 }; month <= lastCovered.month; month += 1, k = 0) {
      if (k >= periodsInMonth(month, periodSeconds)) continue;
      const entry = (await this.#view.epochs(region, month)).find((epoch) => epoch.k + epoch.periods > k);
      if (entry !== undefined) return { month, k: Math.max(entry.k, k) };
    }
    return undefined;
  }

  /** Forgets the region's epochs that end at or before a committed period. */
  drop(region: number, committed: Period): void {
    const left = (this.#known.get(region) ?? []).filter(
      ({ periods }) => comparePeriods(periods.at(-1) as Period, committed) > 0,
    );
    if (left.length === 0) this.#known.delete(region);
    else this.#known.set(region, left);
  }
}
