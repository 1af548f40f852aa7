import type { CsvRow } from "./source.js";
import { householdColumns, wideCells, type Layout, type LayoutOptions, type ReadingRow } from "./layout.js";
import { fileProblem, type Place } from "./problem.js";

const DAYS_IN_WEEK = 7;
const DAY_SECONDS = 86_400;

/** The columns before the households'; -1 where the file has no `period`. */
interface TimeColumns {
  readonly period: number;
  readonly week: number;
  readonly day: number;
  readonly slot: number;
  readonly slotName: "half_hour" | "quarter";
}

function timeColumns(header: CsvRow): TimeColumns {
  const names = header.cells.map((name) => name.toLowerCase());
  const slotName = names.includes("half_hour") ? "half_hour" : "quarter";
  const columns = {
    period: names.indexOf("period"),
    week: names.indexOf("week"),
    day: names.indexOf("day_of_week"),
    slot: names.indexOf(slotName),
    slotName,
  } as const;
  const leading = columns.period < 0 ? ["week", "day_of_week", slotName] : ["period", "week", "day_of_week", slotName];
  if (leading.every((name, i) => names[i] === name)) return columns;
  throw header.place.problem("unknown-header", `it has to begin with ${leading.join(",")}`);
}

/**
 * Rows of week, day of the week and half-hour (or quarter) of the day, and one column of kWh for each household: the
 * form of the Swiss data set. The rows have no date: the first one's period begins at `start`, and the others lie as
 * many periods later as their columns say, whatever a wall clock does meanwhile.
 */
export class UndatedLayout implements Layout {
  readonly format = "undated";
  readonly periodSeconds: 900 | 1800;
  readonly households: readonly string[];
  readonly #columns: TimeColumns;
  readonly #start: number;
  #first: { readonly slot: number; readonly period: number } | undefined;

  /** @throws VeilgridError `unknown-header`, `needs-start`. */
  constructor(header: CsvRow, options: LayoutOptions) {
    this.#columns = timeColumns(header);
    this.periodSeconds = this.#columns.slotName === "half_hour" ? 1800 : 900;
    this.households = householdColumns(header, this.#columns.slot + 1);
    if (options.start === undefined) {
      const reason = "it has no dates: say with --start YYYY-MM-DD when its first row begins";
      throw fileProblem("needs-start", header.place.file, reason);
    }
    this.#start = options.start;
  }

  row(cells: readonly string[], place: Place): ReadingRow {
    const slot = this.#slotOf(cells, place);
    const period = this.#columns.period < 0 ? slot : whole(cells, this.#columns.period, "period", [1, 1e6], place);
    this.#first ??= { slot, period };
    const after = slot - this.#first.slot;
    if (after < 0) throw place.problem("bad-time", "it lies before the file's first row, at which --start counts");
    if (period - this.#first.period !== after) {
      const reason = `period ${period} is not ${after} periods after the first row, as week, day and time say`;
      throw place.problem("bad-time", reason, "period");
    }
    const instant = this.#start + after * this.periodSeconds * 1000;
    return { instants: [instant], cells: wideCells(this.households, cells, this.#columns.slot + 1) };
  }

  /** Periods since the beginning of week 0. */
  #slotOf(cells: readonly string[], place: Place): number {
    const { week, day, slot, slotName } = this.#columns;
    const perDay = DAY_SECONDS / this.periodSeconds;
    const weeks = whole(cells, week, "week", [1, 53], place);
    const days = whole(cells, day, "day_of_week", [1, DAYS_IN_WEEK], place);
    return (weeks * DAYS_IN_WEEK + days - 1) * perDay + whole(cells, slot, slotName, [0, perDay - 1], place);
  }
}

/** A cell's whole number within `range`. */
function whole(
  cells: readonly string[],
  index: number,
  column: string,
  [low, high]: readonly [number, number],
  place: Place,
): number {
  const text = cells[index] ?? "";
  const value = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (value < low || value > high) {
    throw place.problem("bad-time", `"${text}" is not a whole number from ${low} to ${high}`, column);
  }
  return value;
}
