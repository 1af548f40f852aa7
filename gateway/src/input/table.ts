import type { Period } from "@veilgrid/protocol";
import type { Counted } from "./gathered.js";
import type { ReadingsFormat } from "./layout.js";

/** What is known of a table besides its values. */
export interface TableFacts {
  readonly format: ReadingsFormat | "profile";
  /** Names in the order of the file. */
  readonly households: readonly string[];
  readonly firstPeriod: Period;
  /** How many consecutive periods there are, from `firstPeriod` on. */
  readonly periods: number;
  readonly periodSeconds: 900 | 1800;
  /** SHA-256 in hex of the file that the values come from, as it lies on the disk. */
  readonly sha256: string;
  readonly counted: Counted;
}

/** The consumption of households over consecutive periods, as their registers show it. */
export interface ReadingsTable extends TableFacts {
  /**
   * Whole Wh that household `household` (from 0) used in the `n`th period (from 0): the difference of two register
   * readings. Undefined where the meter made no reading.
   * @throws RangeError outside the table.
   */
  consumption(household: number, n: number): number | undefined;
}

const MISSING = -0x8000_0000;

/** A table that is filled household by household and period by period; 4 bytes a value. */
export class FilledTable implements ReadingsTable {
  readonly format: TableFacts["format"];
  readonly households: readonly string[];
  readonly firstPeriod: Period;
  readonly periods: number;
  readonly periodSeconds: 900 | 1800;
  readonly sha256: string;
  readonly counted: Counted;
  readonly #values: Int32Array;

  constructor(facts: TableFacts) {
    this.format = facts.format;
    this.households = facts.households;
    this.firstPeriod = facts.firstPeriod;
    this.periods = facts.periods;
    this.periodSeconds = facts.periodSeconds;
    this.sha256 = facts.sha256;
    this.counted = facts.counted;
    this.#values = new Int32Array(facts.households.length * facts.periods).fill(MISSING);
  }

  set(household: number, n: number, wh: number): void {
    this.#values[this.#index(household, n)] = wh;
  }

  consumption(household: number, n: number): number | undefined {
    const wh = this.#values[this.#index(household, n)];
    return wh === MISSING ? undefined : wh;
  }

  #index(household: number, n: number): number {
    const index = household * this.periods + n;
    if (n >= 0 && n < this.periods && index >= 0 && index < this.#values.length) return index;
    throw new RangeError(`household ${household}, period ${n} is not in the table`);
  }
}

/** The first `count` periods of a table, or all where it has fewer. */
export function firstPeriods(table: ReadingsTable, count: number): ReadingsTable {
  const { format, households, firstPeriod, periodSeconds, sha256, counted } = table;
  return {
    ...{ format, households, firstPeriod, periodSeconds, sha256, counted },
    periods: Math.min(count, table.periods),
    consumption: (household, n) => table.consumption(household, n),
  };
}
