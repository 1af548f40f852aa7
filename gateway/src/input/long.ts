import type { CsvRow } from "./source.js";
import type { Layout, LayoutOptions, ReadingRow } from "./layout.js";
import type { Place } from "./problem.js";
import { rowInstants, type Zone } from "./zone.js";

const TIME = "DateTime";
const ENERGY = "KWH/hh (per half hour)";

/** One row for each reading, `LCLid,stdorToU,DateTime,KWH/hh (per half hour)`: the form of Low Carbon London. */
export class LongLayout implements Layout {
  readonly format = "long";
  readonly periodSeconds = 1800;
  readonly households: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #zone: Zone;
  readonly #at: { readonly household: number; readonly time: number; readonly energy: number };

  /** @throws VeilgridError `unknown-header` unless all three columns that are read are there. */
  constructor(header: CsvRow, options: LayoutOptions) {
    const names = header.cells.map((name) => name.toLowerCase());
    const column = (name: string): number => {
      const at = names.indexOf(name.toLowerCase());
      if (at < 0) throw header.place.problem("unknown-header", `it has no column "${name}"`);
      return at;
    };
    this.#zone = options.zone;
    this.#at = { household: column("LCLid"), time: column(TIME), energy: column(ENERGY) };
  }

  row(cells: readonly string[], place: Place): ReadingRow {
    const name = cells[this.#at.household] ?? "";
    if (name === "") throw place.problem("bad-household", "the row names no household", "LCLid");
    const instants = rowInstants(cells[this.#at.time] ?? "", TIME, this.#zone, place);
    const household = this.#numberOf(name);
    return { instants, cells: [{ household, column: ENERGY, text: cells[this.#at.energy] ?? "" }] };
  }

  /** Households are numbered as they first appear. */
  #numberOf(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.households.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }
}
