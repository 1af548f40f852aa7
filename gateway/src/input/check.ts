import { tableOf, gather, type ReadFile } from "./readings.js";
import type { Counted } from "./gathered.js";
import type { ReadingsFormat } from "./layout.js";
import { checkOptions, type ReadingsOptions } from "./options.js";
import { ProblemList } from "./problem.js";
import type { VeilgridError } from "@veilgrid/protocol";
import { CsvFile } from "./source.js";
import type { ReadingsTable } from "./table.js";

/** A reading that stands out. */
export interface Extreme {
  readonly household: string;
  /** Which period, counted from the file's first (0). */
  readonly n: number;
  /** ISO time of the period's start; undefined for a file without dates. */
  readonly periodStart: string | undefined;
  readonly wh: number;
}

/** A run of periods of which no row speaks. */
export interface Gap {
  readonly n: number;
  readonly periodStart: string | undefined;
  readonly periods: number;
}

export interface HouseholdSummary {
  readonly household: string;
  readonly totalWh: number;
  readonly readings: number;
  readonly missing: number;
}

/** What a readings file holds and what is wrong with it. Energies are whole Wh. */
export interface ReadingsSummary {
  readonly file: string;
  readonly sha256: string;
  readonly format: ReadingsFormat;
  readonly periodSeconds: 900 | 1800;
  readonly households: readonly HouseholdSummary[];
  /** From the first to the last period of which a row speaks. */
  readonly periods: number;
  /** ISO times of the first and the last period's start; undefined for a file without dates (or rows). */
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly readings: number;
  /** Periods of a household without a reading: blank cells and rows that are not there. */
  readonly missing: number;
  readonly counted: Counted;
  /** The first gaps, and how many there are. */
  readonly gaps: readonly Gap[];
  readonly gapCount: number;
  readonly negatives: number;
  readonly smallest: Extreme | undefined;
  readonly largest: Extreme | undefined;
  readonly totalWh: number;
  /** The first problems in the order of the file, and how many there are. */
  readonly problems: readonly VeilgridError[];
  readonly problemCount: number;
}

/** The first instant after 1970 that is a Monday: rows without dates are counted from there. */
const SOME_MONDAY = "1970-01-05";
const SHOWN = 20;

/**
 * Reads a file to its end and says what is in it, with all its problems and not just the first.
 * A file without dates needs no start here. `from` and `days` are not looked at.
 * @throws VeilgridError where no row can be read at all: `unreadable-file`, `bad-gzip`, `bad-csv`, `empty-file`,
 * `unknown-header`, `period-mismatch`; `bad-option`, `unknown-timezone` about the options.
 */
export async function checkReadings(
  path: string,
  options: ReadingsOptions = {},
  shown: number = SHOWN,
): Promise<ReadingsSummary> {
  const problems = new ProblemList(shown);
  const checked = checkOptions({ ...options, start: options.start ?? SOME_MONDAY });
  const read = await gather(new CsvFile(path), checked, problems.report);
  const { gathered, layout } = read;
  for (const place of gathered.ambiguous(gathered.first, gathered.last + 1)) {
    const reason = `in ${checked.zone.name} the clock showed this time twice, and the file has it once`;
    problems.report(place.problem("time-ambiguous", reason));
  }
  const dated = layout.format !== "undated" || options.start !== undefined;
  return summary(read, new Labels(read, dated), problems, shown);
}

/** Names the periods of a file by their time, where it has any. */
class Labels {
  readonly #read: ReadFile;
  readonly #dated: boolean;

  constructor(read: ReadFile, dated: boolean) {
    this.#read = read;
    this.#dated = dated;
  }

  start(n: number): string | undefined {
    const { gathered, periodSeconds } = this.#read;
    if (!this.#dated || gathered.last < gathered.first) return undefined;
    return new Date((gathered.first + n) * periodSeconds * 1000).toISOString();
  }
}

function summary(read: ReadFile, labels: Labels, problems: ProblemList, shown: number): ReadingsSummary {
  const { file, sha256, layout, periodSeconds, gathered } = read;
  const span = { first: gathered.first, periods: gathered.last - gathered.first + 1 };
  const table = tableOf(read, span, layout.households);
  const households = layout.households.map((name, i) => householdSummary(table, name, i));
  const readings = households.reduce((sum, { readings }) => sum + readings, 0);
  const gaps = gapsOf(table, labels);
  return {
    file,
    sha256,
    format: layout.format,
    periodSeconds,
    households,
    periods: span.periods,
    first: labels.start(0),
    last: labels.start(span.periods - 1),
    readings,
    missing: households.length * span.periods - readings,
    counted: gathered.counted,
    gaps: gaps.slice(0, shown),
    gapCount: gaps.length,
    ...extremes(table, labels),
    totalWh: households.reduce((sum, { totalWh }) => sum + totalWh, 0),
    problems: problems.kept,
    problemCount: problems.count,
  };
}

function* values(table: ReadingsTable, household: number): Generator<readonly [n: number, wh: number]> {
  for (let n = 0; n < table.periods; n += 1) {
    const wh = table.consumption(household, n);
    if (wh !== undefined) yield [n, wh];
  }
}

function householdSummary(table: ReadingsTable, household: string, index: number): HouseholdSummary {
  let totalWh = 0;
  let readings = 0;
  for (const [, wh] of values(table, index)) {
    totalWh += wh;
    readings += 1;
  }
  return { household, totalWh, readings, missing: table.periods - readings };
}

function extremes(table: ReadingsTable, labels: Labels): Pick<ReadingsSummary, "negatives" | "smallest" | "largest"> {
  let negatives = 0;
  let smallest: Extreme | undefined;
  let largest: Extreme | undefined;
  for (const [index, household] of table.households.entries()) {
    for (const [n, wh] of values(table, index)) {
      if (wh < 0) negatives += 1;
      if (smallest === undefined || wh < smallest.wh) smallest = { household, n, periodStart: labels.start(n), wh };
      if (largest === undefined || wh > largest.wh) largest = { household, n, periodStart: labels.start(n), wh };
    }
  }
  return { negatives, smallest, largest };
}

/** Runs of periods without a reading of any household. */
function gapsOf(table: ReadingsTable, labels: Labels): readonly Gap[] {
  const gaps: Gap[] = [];
  let from: number | undefined;
  for (let n = 0; n <= table.periods; n += 1) {
    const silent = n < table.periods && table.households.every((_, i) => table.consumption(i, n) === undefined);
    if (silent) from ??= n;
    else if (from !== undefined) {
      gaps.push({ n: from, periodStart: labels.start(from), periods: n - from });
      from = undefined;
    }
  }
  return gaps;
}
