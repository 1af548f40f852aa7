import {
  comparePeriods,
  nextPeriod,
  periodRange,
  periodsBetween,
  type LedgerView,
  type Period,
} from "@veilgrid/protocol";

/** A period without its price. */
export interface Unpriced {
  readonly period: Period;
  /** Whether an epoch covers it. */
  readonly covered: boolean;
}

/**
 * The periods of a region from its first epoch to its last that have no price yet, in their order. What no epoch covers
 * between the two never will be covered: "An epoch begins after the last period of the region's last committed epoch".
 */
export async function* unpricedPeriods(view: LedgerView, region: number): AsyncGenerator<Unpriced> {
  const { firstCovered, lastCovered } = await view.head(region);
  if (firstCovered === undefined || lastCovered === undefined) return;
  const { periodSeconds } = await view.currentParams();
  let period = firstCovered;
  while (comparePeriods(period, lastCovered) <= 0) {
    if ((await view.price(region, period)) === undefined) {
      const entries = await view.epochs(region, period.month);
      yield { period, covered: entries.some(({ k, periods }) => k <= period.k && period.k < k + periods) };
    }
    period = nextPeriod(period, periodSeconds);
  }
}

/** The last period before `first` that an epoch covers. */
async function coveredBefore(view: LedgerView, region: number, first: Period): Promise<Period | undefined> {
  const { firstCovered } = await view.head(region);
  for (let { month } = first; firstCovered !== undefined && month >= firstCovered.month; month -= 1) {
    const before = (await view.epochs(region, month)).filter(({ k }) => month < first.month || k < first.k);
    const last = before.at(-1);
    if (last !== undefined) return { month, k: last.k + last.periods - 1 };
  }
  return undefined;
}

/** The periods between a committed epoch and the one before it, which no epoch covers. */
export async function gapBefore(view: LedgerView, region: number, first: Period): Promise<Period[]> {
  const before = await coveredBefore(view, region, first);
  if (before === undefined) return [];
  const { periodSeconds } = await view.currentParams();
  return [...periodRange(before, periodsBetween(before, first, periodSeconds), periodSeconds)].slice(1);
}
