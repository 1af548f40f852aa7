import { type Bill, computeBill } from "./bill.js";
import { toHex } from "./bytes.js";
import { monthName } from "./calendar.js";
import type { Seeds } from "./keys.js";
import {
  type BillReport,
  type Feedback,
  QUALITY_CODES,
  REPORT_SCHEMA,
  REPORT_VERSION,
  type ReportColumns,
  type ReportDelta,
  type ReportLine,
  type ReportPenalties,
  type SeedLeaf,
  type Supply,
} from "./report.js";
import { type Tariff, tariffJson } from "./tariff.js";

/** A customer's own leaf as KGCBP knows it; `first` is the k of the first period that it rules. */
export interface OwnLeaf {
  readonly region: number;
  /** The epoch block's number on the region's chain. */
  readonly number: bigint;
  readonly first: number;
  readonly seeds: Seeds;
  readonly path: { readonly index: number; readonly count: number; readonly hashes: readonly Uint8Array[] };
}

/** Cases whose faults the meter is to blame for. */
export interface Penalties {
  /** The month's case key, 32 bytes. */
  readonly caseKey: Uint8Array;
  /** Ascending by k; ids of 16 bytes. */
  readonly cases: readonly { readonly k: number; readonly id: Uint8Array }[];
}

/** What a report is made of. */
export interface ReportInput {
  /** 32 bytes. */
  readonly consortium: Uint8Array;
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** 12*year + (month-1). */
  readonly month: number;
  readonly supply: Supply;
  readonly periodSeconds: number;
  /** An IANA name. */
  readonly timeZone: string;
  readonly tariff: Tariff;
  /** Complete readings in signed Wh, one entry for each period of the supply; undefined where there is none. */
  readonly readings: readonly (bigint | undefined)[];
  /** Prices in micro-units per kWh; undefined where no epoch covers the period. */
  readonly prices: readonly (bigint | undefined)[];
  /** The spans in which the meter was eliminated. */
  readonly eliminated?: readonly Supply[];
  readonly penalties?: Penalties;
  readonly deltas?: readonly ReportDelta[];
  /** Ascending by `first`. */
  readonly leaves: readonly OwnLeaf[];
}

/** The part of a report that follows from readings, prices and tariff alone: what a verifier recomputes. */
export type ReportFigures = Pick<BillReport, "columns" | "lines" | "total" | "feedback">;

function columnsOf(bill: Bill, prices: readonly (bigint | undefined)[]): ReportColumns {
  return {
    consumptionWh: bill.consumption.map(Number),
    priceMicro: prices.map((price) => (price === undefined ? null : price.toString())),
    costNano: bill.costs.map(String),
    quality: bill.quality.map((quality) => QUALITY_CODES.indexOf(quality)),
    ...(bill.tierCosts && { tierNano: bill.tierCosts.map(String) }),
  };
}

function thresholdOf({ adjustment }: Tariff, energy: bigint): Feedback["threshold"] | undefined {
  if (adjustment === undefined) return undefined;
  if (energy === adjustment.thresholdWh) return "at";
  return energy < adjustment.thresholdWh ? "below" : "above";
}

function feedbackOf(bill: Bill, tariff: Tariff): Feedback {
  const count = (...of: readonly string[]): number => bill.quality.filter((quality) => of.includes(quality)).length;
  const threshold = thresholdOf(tariff, bill.energy);
  return {
    energyWh: Number(bill.energy),
    measured: count("measured"),
    missing: count("missing", "no-epoch"),
    estimated: count("estimated"),
    ...(threshold !== undefined && { threshold }),
  };
}

function linesOf(bill: Bill): ReportLine[] {
  return bill.lines.map(({ name, nano, shown }) => ({ name, nano: nano.toString(), shown: shown.toString() }));
}

/** A bill in the report's form; `prices` are those that it was computed with. */
export function figuresOf(bill: Bill, prices: readonly (bigint | undefined)[], tariff: Tariff): ReportFigures {
  return {
    columns: columnsOf(bill, prices),
    lines: linesOf(bill),
    total: bill.total.toString(),
    feedback: feedbackOf(bill, tariff),
  };
}

function seedLeafOf({ region, number, first, seeds, path }: OwnLeaf): SeedLeaf {
  const { s0, s1, r0, r1 } = seeds;
  return {
    epoch: { region, number: number.toString() },
    first,
    seeds: { s0: toHex(s0), s1: toHex(s1), r0: toHex(r0), r1: toHex(r1) },
    path: { index: path.index, count: path.count, hashes: path.hashes.map(toHex) },
  };
}

function penaltiesOf({ faultPenalty }: Tariff, penalties: Penalties | undefined): ReportPenalties | undefined {
  if (faultPenalty === undefined || penalties === undefined) return undefined;
  const { caseKey, cases } = penalties;
  return { caseKey: toHex(caseKey), k: cases.map(({ k }) => k), caseId: cases.map(({ id }) => toHex(id)) };
}

/**
 * Computes a customer's bill of a month and drafts its report (PROTOCOL section 4, Dynamic billing).
 * @throws VeilgridError `bad-bill-input`, `bad-tariff` as computeBill.
 */
export function draftReport(input: ReportInput): BillReport {
  const { tariff, periodSeconds, readings, prices, eliminated = [], deltas = [] } = input;
  const penalties = penaltiesOf(tariff, input.penalties);
  const nanos = deltas.map(({ nano }) => BigInt(nano));
  const faults = penalties?.k.length ?? 0;
  const bill = computeBill({ tariff, periodSeconds, from: input.supply.from, readings, prices, faults, deltas: nanos });
  return {
    schema: REPORT_SCHEMA,
    version: REPORT_VERSION,
    consortium: toHex(input.consortium),
    bid: toHex(input.bid),
    month: monthName(input.month),
    supply: input.supply,
    periodSeconds,
    timeZone: input.timeZone,
    tariff: tariffJson(tariff),
    ...figuresOf(bill, prices, tariff),
    eliminated,
    ...(penalties && { penalties }),
    deltas,
    seedLeaves: input.leaves.map(seedLeafOf),
  };
}
