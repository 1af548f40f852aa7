import { open, rename } from "node:fs/promises";
import { BASIS, periodStart, type BillReport, type LedgerView, type Period } from "@veilgrid/protocol";

/*
 * What a run leaves behind for people and scripts: two tables, written row by row. Their first columns keep their names
 * and places; more may follow.
 */

const BASIS_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [BASIS.measured, "measured"],
  [BASIS.tooFew, "too-few"],
  [BASIS.lateRelease, "late-release"],
  [BASIS.empty, "empty"],
  [BASIS.noEpoch, "no-epoch"],
]);

/** What a price rests on, in a word. */
export function basisName(basis: number): string {
  return BASIS_NAMES.get(basis) ?? String(basis);
}

/** Columns of `periods.csv`; `meters` counts the complete ones, consumption is empty where nothing was released. */
export const PERIOD_COLUMNS = [
  "region",
  "period_start",
  "meters",
  "consumption_wh",
  "price_micro_per_kwh",
  "basis",
] as const;

/** Columns of `bills.csv`; energy_cost_nano is the energy line, in nano-units, total_minor in minor units. */
export const BILL_COLUMNS = [
  "meter",
  "bid",
  "month",
  "energy_wh",
  "energy_cost_nano",
  "total_minor",
  "missing",
  "verified",
] as const;

/** A cell as RFC 4180 has it. */
function cell(value: string | number | bigint | boolean): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function row(cells: readonly (string | number | bigint | boolean)[]): string {
  return `${cells.map(cell).join(",")}\n`;
}

/** "2013-04-08T00:30Z" */
function isoMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

/** How many meters of a committed period were complete: KGCBP's settlement knows it, the ledger need not. */
export type CompleteMeters = (region: number, period: Period) => Promise<number | undefined>;

/** A region's covered periods, in their order. */
async function* coveredPeriods(view: LedgerView, region: number): AsyncGenerator<Period> {
  const { firstCovered, lastReadings } = await view.head(region);
  if (firstCovered === undefined || lastReadings === undefined) return;
  for (let { month } = firstCovered; month <= lastReadings.month; month += 1) {
    for (const { k, periods } of await view.epochs(region, month)) {
      for (let at = k; at < k + periods; at += 1) yield { month, k: at };
    }
  }
}

/** The lines of `periods.csv`: every region-period that has its price, region by region. */
export async function* periodLines(view: LedgerView, completeMeters: CompleteMeters): AsyncGenerator<string> {
  yield row(PERIOD_COLUMNS);
  const { periodSeconds } = await view.currentParams();
  for (const region of [...(await view.regions())].sort((a, b) => a - b)) {
    for await (const period of coveredPeriods(view, region)) {
      const price = await view.price(region, period);
      if (price === undefined) continue;
      yield row([
        region,
        isoMinute(periodStart(period, periodSeconds)),
        (await completeMeters(region, period)) ?? "",
        price.basis === BASIS.measured ? price.consumption : "",
        price.price,
        basisName(price.basis),
      ]);
    }
  }
}

/** A verified bill, as its row needs it. */
export interface BillResult {
  /** The operator's name of the meter. */
  readonly meter: string;
  readonly report: BillReport;
  readonly verified: boolean;
}

/** The lines of `bills.csv`, in the order of the results. */
export async function* billLines(results: AsyncIterable<BillResult> | Iterable<BillResult>): AsyncGenerator<string> {
  yield row(BILL_COLUMNS);
  for await (const { meter, report, verified } of results) {
    const { bid, month, feedback, lines, total } = report;
    const energy = lines.find(({ name }) => name === "energy")?.nano ?? "0";
    yield row([meter, bid, month, feedback.energyWh, energy, total, feedback.missing, verified]);
  }
}

/** Writes lines to a file that is either whole or not there: beside it first, then renamed into its place. */
export async function writeLines(path: string, lines: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w");
  try {
    for await (const line of lines) await file.write(line);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}
