import { formatAmount } from "@veilgrid/protocol";
import { Column, MAX_READING_WH, MICRO, type Entry } from "./column.js";
import { scaled } from "./decimal.js";
import type { ReadingCell, ReadingRow } from "./layout.js";
import { reporting, type Place, type Report } from "./problem.js";

/** What was passed over or found empty in a file. */
export interface Counted {
  /** Rows that say again what an earlier row said. */
  readonly identicalRepeats: number;
  /** Rows between two periods that hold no value. */
  readonly offGridNulls: number;
  /** Cells without a value: readings that were never made. */
  readonly blanks: number;
}

/** A row this far from the first one has a wrong date: no metering campaign is so long. */
const MAX_SPAN_DAYS = 3660;
const DECIMALS = 9;

/** A time that the wall clock had twice and of which one row was seen. */
interface Half {
  readonly slot: number;
  readonly other: number;
  readonly place: Place;
}

interface Value {
  readonly cell: ReadingCell;
  readonly entry: number | "blank";
}

function isBlank(text: string): boolean {
  return text === "" || text.toLowerCase() === "null";
}

/** A cell's micro-watt-hours. @throws VeilgridError `bad-number`. */
function entryOf(cell: ReadingCell, place: Place): number | "blank" {
  if (isBlank(cell.text)) return "blank";
  const parsed = scaled(cell.text, DECIMALS);
  if ("reason" in parsed) throw place.problem("bad-number", parsed.reason, cell.column);
  const limit = BigInt(MAX_READING_WH) * BigInt(MICRO);
  if (parsed.value > limit || parsed.value < -limit) {
    throw place.problem("bad-number", `${cell.text} kWh is more than any register of this size`, cell.column);
  }
  return Number(parsed.value);
}

/** All readings of a file, by household and slot. */
export class Gathered {
  readonly #step: number;
  readonly #report: Report;
  readonly #columns: Column[] = [];
  readonly #halves = new Map<string, Half>();
  readonly #counted = { identicalRepeats: 0, offGridNulls: 0, blanks: 0 };
  #origin: number | undefined;
  #first = 0;
  #last = -1;

  constructor(periodSeconds: number, report: Report) {
    this.#step = periodSeconds * 1000;
    this.#report = report;
  }

  /** The first slot of which a row speaks; `last` is before it where there is no row. */
  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#last;
  }

  get counted(): Counted {
    return this.#counted;
  }

  column(household: number): Column {
    return (this.#columns[household] ??= new Column());
  }

  /**
   * Takes a row in. Bad cells are reported one by one.
   * @throws VeilgridError `time-off-grid`, `gap`, `repeated-row`.
   */
  add(row: ReadingRow, place: Place): void {
    if (row.instants.some((instant) => instant % this.#step !== 0)) {
      this.#offGrid(row, place);
      return;
    }
    const values = this.#values(row.cells, place);
    const slot = this.#slotOf(row, place);
    this.#withinSpan(slot, place);
    this.#store(values, slot, place);
  }

  /** The times that the wall clock had twice and the file has once, within [from, to). */
  *ambiguous(from: number, to: number): Generator<Place> {
    for (const { slot, other, place } of this.#halves.values()) {
      if (other >= from && slot < to) yield place;
    }
  }

  #offGrid(row: ReadingRow, place: Place): void {
    if (!row.cells.every(({ text }) => isBlank(text))) {
      throw place.problem("time-off-grid", `its time is not the beginning of a period of ${this.#step / 1000} s`);
    }
    this.#counted.offGridNulls += 1;
  }

  #values(cells: readonly ReadingCell[], place: Place): readonly Value[] {
    const values: Value[] = [];
    for (const cell of cells) {
      reporting(this.#report, () => values.push({ cell, entry: entryOf(cell, place) }));
    }
    return values;
  }

  /** Of a time that the wall clock had twice, the first row means the first time and the second row the second. */
  #slotOf({ instants: [first, second], cells }: ReadingRow, place: Place): number {
    const slot = first / this.#step;
    if (second === undefined) return slot;
    const other = second / this.#step;
    const household = cells[0]?.household ?? 0;
    const key = `${household}/${slot}`;
    if (this.column(household).get(slot) === "absent") {
      this.#halves.set(key, { slot, other, place });
      return slot;
    }
    this.#halves.delete(key);
    return other;
  }

  #withinSpan(slot: number, place: Place): void {
    this.#origin ??= slot;
    const days = Math.floor((Math.abs(slot - this.#origin) * this.#step) / 86_400_000);
    if (days > MAX_SPAN_DAYS) throw place.problem("gap", `it lies ${days} days from the file's first row`);
    if (this.#last < this.#first) this.#first = this.#last = slot;
    this.#first = Math.min(this.#first, slot);
    this.#last = Math.max(this.#last, slot);
  }

  #store(values: readonly Value[], slot: number, place: Place): void {
    let repeated = 0;
    for (const { cell, entry } of values) {
      const column = this.column(cell.household);
      const before = column.get(slot);
      if (before === "absent") {
        column.set(slot, entry);
        if (entry === "blank") this.#counted.blanks += 1;
      } else if (before === entry) repeated += 1;
      else throw place.problem("repeated-row", repeatReason(before, entry), cell.column);
    }
    if (repeated > 0) this.#counted.identicalRepeats += 1;
  }
}

function repeatReason(before: Entry, now: Entry): string {
  const kWh = (entry: Entry): string =>
    typeof entry === "number" ? `${formatAmount(BigInt(entry), DECIMALS)} kWh` : "no value";
  return `an earlier row of the same period has ${kWh(before)}, this one ${kWh(now)}`;
}
