import { addPeriods, type Period } from "@veilgrid/protocol";
import { MeterCsv } from "../world/meter-csv.js";

/** 2013-04: the month that the homes' file begins in. */
const APRIL = 12 * 2013 + 3;
const HALF_HOUR_MS = 1_800_000;

/** Three months in which homes are supplied for some half-hours each, and for none of the others. */
export interface MonthsPlan {
  /** All half-hours from the first month's supply to the end of the last one's; no reading in those between. */
  readonly csv: MeterCsv;
  /** 12*year + (month-1). */
  readonly months: readonly [number, number, number];
  /** The first half-hour of each month's supply. */
  readonly k: readonly [number, number, number];
  /** Half-hours of supply a month. */
  readonly periods: number;
  /** After how many of a month's half-hours its change is made: new keys in the second, one more aggregator in the third. */
  readonly changeAfter: number;
}

/** What of a plan may be chosen. */
export type MonthsSize = Pick<MonthsPlan, "k" | "periods" | "changeAfter"> & { readonly homes: number };

function beginOf(month: number, k: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1) + k * HALF_HOUR_MS;
}

/** Real homes, whose nth half-hour of supply is the nth one of their file. */
export function monthsPlan({ homes, k, periods, changeAfter }: MonthsSize): MonthsPlan {
  const months = [APRIL, APRIL + 1, APRIL + 2] as const;
  const supplied = MeterCsv.sgsc(homes, 3 * periods);
  const begins = months.map((month, n) => beginOf(month, k[n] as number));
  const [first, , last] = begins as [number, number, number];
  const count = (last - first) / HALF_HOUR_MS + periods;
  const starts = Array.from({ length: count }, (_, n) => first + n * HALF_HOUR_MS);
  const rowOf = (start: number): readonly string[] => {
    const index = begins.findIndex((begin) => begin <= start && start < begin + periods * HALF_HOUR_MS);
    const n = index * periods + (start - (begins[index] ?? 0)) / HALF_HOUR_MS;
    return index < 0 ? supplied.households.map(() => "") : (supplied.cells[n] as readonly string[]);
  };
  return { csv: new MeterCsv(supplied.households, starts, starts.map(rowOf)), months, k, periods, changeAfter };
}

/** The ith half-hour of supply in the nth of the three months. */
export function suppliedPeriod({ months, k }: MonthsPlan, n: number, i: number): Period {
  return addPeriods({ month: months[n] as number, k: k[n] as number }, i, HALF_HOUR_MS / 1000);
}

/** What a home consumed in the nth of the three months, in Wh. */
export function consumed({ csv, periods, months, k }: MonthsPlan, home: number, n: number): bigint {
  const from = csv.starts.indexOf(beginOf(months[n] as number, k[n] as number));
  const row = csv.wattHours()[home] as (bigint | undefined)[];
  return row.slice(from, from + periods).reduce<bigint>((all, wh) => all + (wh ?? 0n), 0n);
}

/** Region, beginning, meters and Wh of each supplied half-hour; nobody knows any more whose readings the first month's are. */
export function expectedPeriods({ csv, months, k, periods }: MonthsPlan, regions: number): string[] {
  const wattHours = csv.wattHours();
  const expected: string[] = [];
  for (let region = 1; region <= regions; region += 1) {
    const own = wattHours.filter((_, home) => 1 + (home % regions) === region);
    for (const [n, month] of months.entries()) {
      const from = csv.starts.indexOf(beginOf(month, k[n] as number));
      for (let at = from; at < from + periods; at += 1) {
        const start = `${new Date(csv.starts[at] as number).toISOString().slice(0, 16)}Z`;
        const wh = own.reduce((sum, row) => sum + (row[at] as bigint), 0n);
        expected.push([region, start, n === 0 ? "" : own.length, wh].join());
      }
    }
  }
  return expected;
}
