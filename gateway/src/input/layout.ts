import type { CsvRow } from "./source.js";
import type { Place } from "./problem.js";
import type { Zone } from "./zone.js";

/** The forms of a readings file. */
export type ReadingsFormat = "wide" | "undated" | "long";

/** One household's cell of a row: kWh in decimal, or blank or `Null` for a reading that was never made. */
export interface ReadingCell {
  readonly household: number;
  readonly column: string;
  readonly text: string;
}

/** A row of any form: the instants (Unix milliseconds) that its time can mean, and its cells. */
export interface ReadingRow {
  /** Two, ascending, where the zone's wall clock showed the time twice. */
  readonly instants: readonly [number] | readonly [number, number];
  readonly cells: readonly ReadingCell[];
}

/** How a file's rows are to be read, as its header says. */
export interface Layout {
  readonly format: ReadingsFormat;
  /** The length of the file's periods where its form fixes it. */
  readonly periodSeconds: 900 | 1800 | undefined;
  /** The households' names in the order of the file; in the long form it grows with the rows. */
  readonly households: readonly string[];
  /** @throws VeilgridError `bad-time`, `time-nonexistent`, `bad-household`. */
  row(cells: readonly string[], place: Place): ReadingRow;
}

/** What a layout needs beyond the header. */
export interface LayoutOptions {
  readonly zone: Zone;
  /** When the first row's period begins (Unix milliseconds), for a file without dates. */
  readonly start: number | undefined;
  /** The period length asked for, if one was. */
  readonly periodSeconds: 900 | 1800 | undefined;
}

/** The households of a wide form's header. @throws VeilgridError `unknown-header` for no name, or the same twice. */
export function householdColumns(header: CsvRow, firstColumn: number): readonly string[] {
  const names = header.cells.slice(firstColumn);
  if (names.length === 0) throw header.place.problem("unknown-header", "it names no household");
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    if (name === "") throw header.place.problem("unknown-header", `column ${firstColumn + i + 1} has no name`);
    if (seen.has(name)) throw header.place.problem("unknown-header", "it names this household twice", name);
    seen.add(name);
  }
  return names;
}

/** The cells of a wide row as readings of the households. */
export function wideCells(
  households: readonly string[],
  cells: readonly string[],
  firstColumn: number,
): readonly ReadingCell[] {
  return households.map((column, household) => ({ household, column, text: cells[firstColumn + household] ?? "" }));
}
