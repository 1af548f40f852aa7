import type { Story } from "./story.js";
import { billed, nearest, total, type MissingRule, type MonthFigures } from "./tariff.js";

/** Micro-units per kWh, and more for each kWh that the region uses. */
export const PRICE = { base: 200_000n, slope: 10_000n };

/** What a story's sums and bills depend on besides it. */
export interface Terms {
  /** Fewest complete meters of a released sum. */
  readonly minMeters: number;
  readonly rule: MissingRule;
}

/** A row of `periods.csv`, as far as it is computed here. */
export interface PeriodRow {
  readonly region: string;
  readonly period_start: string;
  readonly meters: string;
  readonly consumption_wh: string;
  readonly price_micro_per_kwh: string;
}

/** A customer at a home's meter, in the periods from <= n < to. */
export interface Customer {
  readonly home: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What a customer's bill of a month has to say before anything is settled on it. */
export interface BillTruth extends MonthFigures {
  readonly from: number;
  readonly to: number;
  readonly prices: readonly bigint[];
  /** Spans of k, [from, to). */
  readonly eliminated: readonly { readonly from: number; readonly to: number }[];
  /** The periods whose faults are charged for. */
  readonly penalties: readonly number[];
  /** The periods without a reading, with what was billed and what the home truly consumed, Wh. */
  readonly unsettled: readonly { readonly k: number; readonly billedWh: bigint; readonly trueWh: bigint }[];
  /** What the month costs by the file, nano-units, and how much of it the bill does not have. */
  readonly trueNano: bigint;
  readonly owedNano: bigint;
}

interface Sum {
  readonly meters: number;
  readonly wh: bigint | undefined;
  readonly price: bigint;
}

/** What a story has to come to: computed from the file and the story, by none of the product's code. */
export class Truth {
  readonly #story: Story;
  readonly #terms: Terms;
  /** By region, by period. */
  readonly #sums: readonly (readonly Sum[])[];

  constructor(story: Story, terms: Terms) {
    this.#story = story;
    this.#terms = terms;
    this.#sums = Array.from({ length: story.options.regions }, (_, i) =>
      story.csv.starts.map((_start, n) => this.#sum(i + 1, n)),
    );
  }

  #sum(region: number, n: number): Sum {
    const counted: bigint[] = [];
    for (let home = 0; home < this.#story.homes; home += 1) {
      const wh = this.#story.counted(home, n);
      if (wh !== undefined && this.#story.standing(home, n).region === region) counted.push(wh);
    }
    const wh = counted.length < this.#terms.minMeters ? undefined : total(counted);
    return { meters: counted.length, wh, price: PRICE.base + nearest(PRICE.slope * (wh ?? 0n), 1000n) };
  }

  /** Every row that `periods.csv` has to have. */
  periods(): PeriodRow[] {
    return this.#sums.flatMap((sums, i) =>
      sums.map(({ meters, wh, price }, n) => ({
        region: String(i + 1),
        period_start: `${new Date(this.#story.csv.starts[n] as number).toISOString().slice(0, 16)}Z`,
        meters: String(meters),
        consumption_wh: wh === undefined ? "" : wh.toString(),
        price_micro_per_kwh: price.toString(),
      })),
    );
  }

  /** All customers, in the order of the homes. */
  customers(): Customer[] {
    const { homes, csv, options } = this.#story;
    const { sold } = options.changes;
    return Array.from({ length: homes }, (_, home) => home).flatMap((home): Customer[] => {
      const name = this.#story.name(home);
      if (home !== sold.home) return [{ home, name, from: 0, to: csv.starts.length }];
      return [
        { home, name, from: 0, to: sold.from },
        { home, name: sold.customer, from: sold.from, to: csv.starts.length },
      ];
    });
  }

  /** The periods of a month, from its first in the file on: indices in the file. */
  #span(month: 0 | 1, { from, to }: Customer): [number, number] {
    const { firstMonth, csv } = this.#story;
    const [begin, end] = month === 0 ? [0, firstMonth] : [firstMonth, csv.starts.length];
    return [Math.max(from, begin), Math.min(to, end)];
  }

  /** k of a period in its month. */
  k(n: number): number {
    const start = new Date(this.#story.csv.starts[n] as number);
    return (start.getUTCDate() - 1) * 48 + start.getUTCHours() * 2 + Math.floor(start.getUTCMinutes() / 30);
  }

  /** Whether the fault of a home's meter is charged for: a verdict counts it, and its log shows nobody else's fault. */
  isCharged(home: number, n: number): boolean {
    const { region, fault } = this.#story.standing(home, n);
    if (fault === undefined || fault === "keyless") return false;
    return this.hasFault(region, n);
  }

  /** Whether the block of a region's period lacks a reading: who has too much in it leaves none out. */
  hasFault(region: number, n: number): boolean {
    return [...this.#story.faultsIn(region, n).values()].some((fault) => fault !== "broken");
  }

  /** A customer's bill of the first month, 0, or the second, 1; undefined where it has none. */
  bill(customer: Customer, month: 0 | 1): BillTruth | undefined {
    const { home } = customer;
    const [first, end] = this.#span(month, customer);
    if (first >= end) return undefined;
    const ns = Array.from({ length: end - first }, (_, i) => first + i);
    const from = this.k(first);
    const prices = ns.map((n) => (this.#sums[this.#story.standing(home, n).region - 1] as Sum[])[n]?.price as bigint);
    const readings = ns.map((n) => this.#story.counted(home, n));
    const penalties = ns.filter((n) => this.isCharged(home, n)).map((n) => this.k(n));
    const terms = { from, prices, penalties: penalties.length, rule: this.#terms.rule };
    const figures = billed({ ...terms, readings });
    const trueNano = total(billed({ ...terms, readings: ns.map((n) => this.#story.wh(home, n)) }).lines);
    const unsettled = ns.flatMap((n, i) => {
      if (readings[i] !== undefined) return [];
      return [{ k: from + i, billedWh: figures.consumption[i] as bigint, trueWh: this.#story.wh(home, n) }];
    });
    const leftOut = ns.filter((n) => !this.#story.standing(home, n).isListed).map((n) => this.k(n));
    return {
      ...figures,
      ...{ from, to: from + ns.length, prices, penalties, unsettled, trueNano },
      eliminated: leftOut.length === 0 ? [] : [{ from: leftOut[0] as number, to: (leftOut.at(-1) as number) + 1 }],
      owedNano: trueNano - total(figures.lines),
    };
  }
}
