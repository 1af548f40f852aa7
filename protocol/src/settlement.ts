import { computeBill } from "./bill.js";
import { VeilgridError } from "./errors.js";
import { type BillReport, QUALITY_CODES } from "./report.js";
import { type Tariff, parseTariff } from "./tariff.js";

/** A month as it was billed, with all that recomputing it needs; columns have one entry for each period of the supply. */
export interface BilledMonth {
  readonly tariff: Tariff;
  readonly periodSeconds: number;
  /** k of the supply's first period. */
  readonly from: number;
  /** Complete readings in signed Wh. */
  readonly readings: readonly (bigint | undefined)[];
  /** Micro-units per kWh; undefined where no epoch covers the period. */
  readonly prices: readonly (bigint | undefined)[];
  /** How many faults the meter was charged for. */
  readonly faults: number;
}

/** What a period without a complete reading came to, by the meter's own log. */
export interface Correction {
  readonly k: number;
  /** Signed Wh. */
  readonly wh: bigint;
  /** The *no-epoch* price of a period that no epoch covers, in micro-units per kWh; elsewhere the month's own counts. */
  readonly price: bigint | undefined;
}

function refused(code: string, message: string, k: number): VeilgridError {
  return new VeilgridError(code, message, { facts: { k }, blame: "caller" });
}

/**
 * What a month costs before deltas, in nano-units, with later readings put in: everything is recomputed, the estimates of
 * what is still missing too.
 * @throws VeilgridError `not-in-supply`, `measured` for a period that has its reading or was settled before, `no-price`
 * for one that no epoch covers without its price; and as computeBill.
 */
export function monthNano(billed: BilledMonth, corrections: readonly Correction[]): bigint {
  const [readings, prices] = [[...billed.readings], [...billed.prices]];
  for (const { k, wh, price } of corrections) {
    const i = k - billed.from;
    if (i < 0 || i >= readings.length) throw refused("not-in-supply", "the bill does not cover the period", k);
    if (readings[i] !== undefined) throw refused("measured", "the period has its reading", k);
    prices[i] ??= price;
    if (prices[i] === undefined) throw refused("no-price", "the period has no price", k);
    readings[i] = wh;
  }
  const { lines } = computeBill({ ...billed, readings, prices });
  return lines.reduce((all, { nano }) => all + nano, 0n);
}

/** "each the month recomputed minus the month billed": nano-units of `now`, where `before` was settled already. @throws as monthNano. */
export function deltaNano(billed: BilledMonth, before: readonly Correction[], now: readonly Correction[]): bigint {
  return monthNano(billed, [...before, ...now]) - monthNano(billed, before);
}

/** The month that a report bills. */
export function billedMonthOf({ tariff, periodSeconds, supply, columns, penalties }: BillReport): BilledMonth {
  const measured = (i: number): boolean => QUALITY_CODES[columns.quality[i] as number] === "measured";
  return {
    tariff: parseTariff(tariff),
    periodSeconds,
    from: supply.from,
    readings: columns.consumptionWh.map((wh, i) => (measured(i) ? BigInt(wh) : undefined)),
    prices: columns.priceMicro.map((price) => (price === null ? undefined : BigInt(price))),
    faults: penalties?.k.length ?? 0,
  };
}
