import { periodAt } from "@veilgrid/protocol";
import type { Column } from "./column.js";
import { Gathered } from "./gathered.js";
import { layoutOf } from "./header.js";
import type { Layout } from "./layout.js";
import { badOption, checkOptions, type CheckedOptions, type ReadingsOptions } from "./options.js";
import { fileProblem, refuse, reporting, type Report } from "./problem.js";
import { Register } from "./register.js";
import { CsvFile, type CsvRow } from "./source.js";
import { FilledTable, type ReadingsTable } from "./table.js";

const HALF_HOUR = 1800;
const DAY_SECONDS = 86_400;

/** Consecutive slots (periods since 1970-01-01T00:00Z). */
export interface Span {
  readonly first: number;
  readonly periods: number;
}

/** A file that was read to its end. */
export interface ReadFile {
  readonly file: string;
  readonly sha256: string;
  readonly layout: Layout;
  readonly periodSeconds: 900 | 1800;
  readonly gathered: Gathered;
}

/**
 * The consumption of the households of a CSV file (plain or gzip) in the wide, the undated or the long form.
 *
 * A household's register is the running sum of its column from the file's first row on, in exact decimals, floored to
 * Wh. A blank cell or `Null` is a reading that was never made: the register stays. A row that is not there is the same.
 * @throws VeilgridError about the file with a ProblemCode; `bad-option`, `unknown-timezone` about the options.
 */
export async function readReadings(path: string, options: ReadingsOptions = {}): Promise<ReadingsTable> {
  const checked = checkOptions(options);
  const read = await gather(new CsvFile(path), checked, refuse);
  const { gathered, layout, file } = read;
  if (gathered.last < gathered.first) throw fileProblem("empty-file", file, "no row of it holds a reading");
  const span = chosen(read, checked, options);
  for (const place of gathered.ambiguous(span.first, span.first + span.periods)) {
    const reason = `in ${checked.zone.name} the clock showed this time twice, and the file has it once`;
    throw place.problem("time-ambiguous", reason);
  }
  return tableOf(read, span, layout.households);
}

/** Reads all rows; what is wrong with one goes to `report`. */
export async function gather(file: CsvFile, options: CheckedOptions, report: Report): Promise<ReadFile> {
  const rows = file.rows();
  const header = await rows.next();
  if (header.done === true) throw fileProblem("empty-file", file.name, "the file has no rows");
  const layout = layoutOf(header.value, options);
  const periodSeconds = layout.periodSeconds ?? options.periodSeconds ?? HALF_HOUR;
  const gathered = new Gathered(periodSeconds, report);
  const width = header.value.cells.length;
  for await (const row of rows) {
    reporting(report, () => {
      take(row, width, layout, gathered);
    });
  }
  return { file: file.name, sha256: file.sha256, layout, periodSeconds, gathered };
}

function take({ cells, place }: CsvRow, width: number, layout: Layout, gathered: Gathered): void {
  if (cells.length !== width) {
    throw place.problem("row-length", `it has ${cells.length} cells, the header ${width}`);
  }
  gathered.add(layout.row(cells, place), place);
}

/** The periods from the day that was asked for on, as far as the file goes. */
function chosen(read: ReadFile, options: CheckedOptions, given: ReadingsOptions): Span {
  const step = read.periodSeconds * 1000;
  const aDay = DAY_SECONDS / read.periodSeconds;
  const { first, last } = read.gathered;
  const from = options.from === undefined ? first : Math.ceil(options.from / step);
  if (from > last || from + aDay <= first) {
    const [begin, end] = [first, last].map((slot) => new Date(slot * step).toISOString());
    throw badOption("from", given.from ?? "", `${read.file} has nothing of that day, only ${begin} to ${end}`);
  }
  const to = options.days === undefined ? last + 1 : Math.min(last + 1, from + options.days * aDay);
  return { first: Math.max(from, first), periods: to - Math.max(from, first) };
}

/** The consumption of each household over a span, by its register. */
export function tableOf(read: ReadFile, span: Span, households: readonly string[]): ReadingsTable {
  const { gathered, periodSeconds } = read;
  const table = new FilledTable({
    format: read.layout.format,
    households,
    firstPeriod: periodAt(span.first * periodSeconds * 1000, periodSeconds),
    periods: span.periods,
    periodSeconds,
    sha256: read.sha256,
    counted: gathered.counted,
  });
  for (const household of households.keys()) {
    const register = new Register();
    const column = gathered.column(household);
    for (let slot = gathered.first; slot < span.first; slot += 1) moved(register, column, slot);
    for (let n = 0; n < span.periods; n += 1) {
      const wh = moved(register, column, span.first + n);
      if (wh !== undefined) table.set(household, n, wh);
    }
  }
  return table;
}

function moved(register: Register, column: Column, slot: number): number | undefined {
  const entry = column.get(slot);
  return typeof entry === "number" ? register.add(entry) : undefined;
}
