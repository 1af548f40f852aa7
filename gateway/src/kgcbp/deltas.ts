import {
  computeBill,
  deltaNano,
  monthName,
  toHex,
  type Correction,
  type LedgerView,
  type ReportDelta,
} from "@veilgrid/protocol";
import type { CustomerMonths, CustomersBilledMonth } from "./customer-months.js";
import type { KeptCorrection } from "./corrections.js";

/** What a bill settles of other months. */
export interface DeltaPlan {
  /** Oldest first. */
  readonly deltas: readonly ReportDelta[];
  /** The corrections that they have. */
  readonly carried: readonly KeptCorrection[];
}

/** The bill that deltas are for. */
export interface DeltaTarget {
  /** Hex. */
  readonly bid: string;
  /** 12*year + (month-1). */
  readonly month: number;
  /** Whether the supply ends with it: then it settles its own month, too. */
  readonly isLast: boolean;
  /** Whether the bill has room for them. */
  readonly fits: (deltas: readonly ReportDelta[]) => boolean;
}

/** A correction with what its month needs to be recomputed. */
interface Priced {
  readonly kept: KeptCorrection;
  readonly correction: Correction;
  readonly month: CustomersBilledMonth;
}

const NOTHING: DeltaPlan = { deltas: [], carried: [] };

/** In the order of time, those of one reason together. */
function grouped(priced: readonly Priced[]): Priced[][] {
  const groups = new Map<string, Priced[]>();
  for (const one of [...priced].sort(
    (a, b) => a.kept.period.month - b.kept.period.month || a.correction.k - b.correction.k,
  )) {
    const name = `${one.kept.period.month}/${one.kept.reason}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups.values()];
}

/** "each the month recomputed minus the month billed", with what bills and deltas before have settled. */
function deltaOf(group: readonly Priced[], before: readonly Correction[]): ReportDelta {
  const { kept, month } = group[0] as Priced;
  const { billed } = month;
  const now = group.map(({ correction }) => correction);
  const { consumption } = computeBill(billed);
  return {
    month: monthName(kept.period.month),
    reason: kept.reason,
    k: now.map(({ k }) => k),
    billedWh: now.map(({ k }) => Number(consumption[k - billed.from])),
    settledWh: now.map(({ wh }) => Number(wh)),
    nano: deltaNano(billed, before, now).toString(),
  };
}

/** Makes the deltas of bills: "oldest first as far as there is room", the rest on the following bill. */
export class DeltaPlanner {
  readonly #view: LedgerView;
  readonly #months: CustomerMonths;
  /** By BID (hex), ascending by period. */
  readonly #corrections = new Map<string, KeptCorrection[]>();

  constructor(view: LedgerView, months: CustomerMonths, corrections: readonly KeptCorrection[]) {
    this.#view = view;
    this.#months = months;
    for (const one of corrections) {
      const bid = toHex(one.bid);
      this.#corrections.set(bid, [...(this.#corrections.get(bid) ?? []), one]);
    }
  }

  async plan(target: DeltaTarget): Promise<DeltaPlan> {
    const { bid, month, isLast, fits } = target;
    const own = this.#corrections.get(bid) ?? [];
    const due = own.filter(
      ({ carried, period }) =>
        (carried === undefined || carried === month) && (period.month < month || (isLast && period.month === month)),
    );
    if (due.length === 0) return NOTHING;
    // What a revision repeats keeps its place before what is new.
    const priced = await this.#priced(
      bid,
      [...due].sort((a, b) => (b.carried ?? 0) - (a.carried ?? 0)),
    );
    const before = await this.#priced(
      bid,
      own.filter(({ carried }) => carried !== undefined && carried < month),
    );
    const deltas = (count: number): ReportDelta[] => this.#deltas(priced.slice(0, count), before);
    const count = largest(priced.length, (tried) => fits(deltas(tried)));
    return { deltas: deltas(count), carried: priced.slice(0, count).map(({ kept }) => kept) };
  }

  /** What can be recomputed: a period that no epoch covers waits for its price. */
  async #priced(bid: string, kept: readonly KeptCorrection[]): Promise<Priced[]> {
    const priced: Priced[] = [];
    for (const one of kept) {
      const month = await this.#months.billed(one.period.month, bid);
      const correction = month && (await this.#correction(one, month));
      if (month !== undefined && correction !== undefined) priced.push({ kept: one, month, correction });
    }
    return priced;
  }

  async #correction({ period, wh }: KeptCorrection, month: CustomersBilledMonth): Promise<Correction | undefined> {
    const { billed, supplied } = month;
    const i = period.k - billed.from;
    const region = supplied.regions[i];
    if (region === undefined) return undefined;
    if (billed.prices[i] !== undefined) return { k: period.k, wh, price: undefined };
    const price = await this.#view.price(region, period);
    return price && { k: period.k, wh, price: price.price };
  }

  #deltas(priced: readonly Priced[], before: readonly Priced[]): ReportDelta[] {
    const settled = new Map<number, Correction[]>();
    for (const { kept, correction } of before) add(settled, kept.period.month, [correction]);
    return grouped(priced).map((group) => {
      const { month } = (group[0] as Priced).kept.period;
      const delta = deltaOf(group, settled.get(month) ?? []);
      const now = group.map(({ correction }) => correction);
      add(settled, month, now);
      return delta;
    });
  }
}

function add(settled: Map<number, Correction[]>, month: number, now: readonly Correction[]): void {
  settled.set(month, [...(settled.get(month) ?? []), ...now]);
}

/** The greatest count up to `all` that fits, where fewer always fit too. */
function largest(all: number, fits: (count: number) => boolean): number {
  if (fits(all)) return all;
  let [good, bad] = [0, all];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
