import type { CsvRow } from "./source.js";
import { householdColumns, wideCells, type Layout, type LayoutOptions, type ReadingRow } from "./layout.js";
import type { Place } from "./problem.js";
import { rowInstants, type Zone } from "./zone.js";

/** Rows of `reading_datetime` and one column of kWh for each household: the form of Smart-Grid Smart-City. */
export class WideLayout implements Layout {
  readonly format = "wide";
  readonly periodSeconds = undefined;
  readonly households: readonly string[];
  readonly #zone: Zone;

  constructor(header: CsvRow, options: LayoutOptions) {
    this.households = householdColumns(header, 1);
    this.#zone = options.zone;
  }

  row(cells: readonly string[], place: Place): ReadingRow {
    const instants = rowInstants(cells[0] ?? "", "reading_datetime", this.#zone, place);
    return { instants, cells: wideCells(this.households, cells, 1) };
  }
}
