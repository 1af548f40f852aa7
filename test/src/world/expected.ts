import type { MeterCsv } from "./meter-csv.js";

/** Nano-units in 1/100 of a unit. */
const PER_MINOR = 10_000_000n;

/** What a run was asked for, as far as its results depend on it. */
export interface Terms {
  readonly regions: number;
  /** Readings beyond this, in Wh, do not count. */
  readonly maxWh: number;
  /** Fewest complete meters of a released sum. */
  readonly minMeters: number;
  /** Micro-units per kWh of a period; `wh` is its released sum. */
  readonly price: (place: PricedPeriod) => bigint;
}

/** A region's period, as its price depends on it. */
export interface PricedPeriod {
  readonly region: number;
  /** From the run's first, 0. */
  readonly n: number;
  /** Unix milliseconds. */
  readonly start: number;
  readonly wh: bigint | undefined;
}

/** A row of `periods.csv`, as far as these tests compute it. */
export interface ExpectedPeriod {
  readonly region: string;
  readonly period_start: string;
  readonly meters: string;
  readonly consumption_wh: string;
  readonly price_micro_per_kwh: string;
}

/** A row of `bills.csv`, as far as these tests compute it. */
export interface ExpectedBill {
  readonly meter: string;
  readonly month: string;
  readonly energy_wh: string;
  readonly energy_cost_nano: string;
  readonly total_minor: string;
  readonly missing: string;
}

/** Every sum, price and bill that follows from a file of readings: own arithmetic, none of the product's. */
export interface Expected {
  readonly periods: readonly ExpectedPeriod[];
  readonly bills: readonly ExpectedBill[];
}

function isoMinute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16)}Z`;
}

/** Half away from zero. */
function minorOf(nano: bigint): bigint {
  const magnitude = ((nano < 0n ? -nano : nano) * 2n + PER_MINOR) / (2n * PER_MINOR);
  return nano < 0n ? -magnitude : magnitude;
}

interface Priced {
  readonly row: ExpectedPeriod;
  readonly price: bigint;
}

/** @param complete Wh by household and period; undefined where the period has no complete reading. */
function regionPeriods(
  csv: MeterCsv,
  region: number,
  complete: readonly (readonly (bigint | undefined)[])[],
  terms: Terms,
): Priced[] {
  const own = complete.filter((_, household) => 1 + (household % terms.regions) === region);
  return csv.starts.map((start, n) => {
    const values = own.map((row) => row[n]).filter((wh) => wh !== undefined);
    const isReleased = values.length >= terms.minMeters;
    const wh = isReleased ? values.reduce((all, one) => all + one, 0n) : undefined;
    const price = terms.price({ region, n, start, wh });
    const row = {
      region: String(region),
      period_start: isoMinute(start),
      meters: String(values.length),
      consumption_wh: wh === undefined ? "" : wh.toString(),
      price_micro_per_kwh: price.toString(),
    };
    return { row, price };
  });
}

function billOf(
  meter: string,
  month: string,
  lines: readonly { readonly wh: bigint | undefined; readonly price: bigint }[],
): ExpectedBill {
  let [energy, nano, missing] = [0n, 0n, 0];
  for (const { wh, price } of lines) {
    if (wh === undefined) missing += 1;
    // Wh times micro-units per kWh are nano-units.
    energy += wh ?? 0n;
    nano += (wh ?? 0n) * price;
  }
  return {
    meter,
    month,
    energy_wh: energy.toString(),
    energy_cost_nano: nano.toString(),
    total_minor: minorOf(nano).toString(),
    missing: String(missing),
  };
}

/** What a run of this file under these terms has to come to. */
export function expectedOf(csv: MeterCsv, terms: Terms): Expected {
  const bound = BigInt(terms.maxWh);
  const complete = csv
    .wattHours()
    .map((row) => row.map((wh) => (wh !== undefined && wh <= bound && -wh <= bound ? wh : undefined)));
  const regions = Array.from({ length: terms.regions }, (_, i) => regionPeriods(csv, i + 1, complete, terms));
  const months = csv.starts.map((start) => new Date(start).toISOString().slice(0, 7));
  const bills = [...new Set(months)].flatMap((month) =>
    csv.households.map((meter, household) => {
      const priced = regions[household % terms.regions] as Priced[];
      const own = complete[household] as (bigint | undefined)[];
      const lines = priced.map(({ price }, n) => ({ wh: own[n], price })).filter((_, n) => months[n] === month);
      return billOf(meter, month, lines);
    }),
  );
  return { periods: regions.flatMap((rows) => rows.map(({ row }) => row)), bills };
}
