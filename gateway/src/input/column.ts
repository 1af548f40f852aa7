/** What a period of a column can be besides a value. */
const ABSENT = -0x8000_0000; // no row speaks of it
const BLANK = -0x7fff_ffff; // a row does, and has no value

/** Millionths of a watt-hour in one watt-hour: the finest step of a readings file, 10^-9 kWh. */
export const MICRO = 1_000_000;
/** The largest reading of one period either way, in Wh: whole watt-hours have to fit 32 bits. */
export const MAX_READING_WH = 2_000_000_000;

/** What a file says of one household's period: micro-watt-hours, nothing in a blank cell, or no row at all. */
export type Entry = number | "blank" | "absent";

/** The greatest whole number not above micro-Wh / 10^6, and what remains (0 to 999,999): exact on safe integers. */
export function wholeAndRest(micro: number): readonly [whole: number, rest: number] {
  const rest = ((micro % MICRO) + MICRO) % MICRO;
  return [(micro - rest) / MICRO, rest];
}

/**
 * One household's values by slot (periods since 1970-01-01T00:00Z), 8 bytes a period. It grows to either side,
 * so that rows may come in any order.
 */
export class Column {
  #base = 0;
  #wholes = new Int32Array(0);
  #rests = new Int32Array(0);

  get(slot: number): Entry {
    const whole = this.#wholes[slot - this.#base];
    if (whole === undefined || whole === ABSENT) return "absent";
    return whole === BLANK ? "blank" : whole * MICRO + (this.#rests[slot - this.#base] as number);
  }

  set(slot: number, entry: number | "blank"): void {
    this.#reach(slot);
    const [whole, rest] = entry === "blank" ? [BLANK, 0] : wholeAndRest(entry);
    this.#wholes[slot - this.#base] = whole;
    this.#rests[slot - this.#base] = rest;
  }

  /** Makes room for a slot, by half as much again as there is, so that growing stays cheap. */
  #reach(slot: number): void {
    const size = this.#wholes.length;
    if (size === 0) this.#base = slot;
    if (slot >= this.#base && slot < this.#base + size) return;
    const spare = 48 + (size >> 1);
    const from = slot < this.#base ? slot - spare : this.#base;
    const to = slot < this.#base ? this.#base + size : slot + 1 + spare;
    this.#wholes = moved(this.#wholes, this.#base - from, to - from, ABSENT);
    this.#rests = moved(this.#rests, this.#base - from, to - from, 0);
    this.#base = from;
  }
}

function moved(values: Int32Array, by: number, size: number, empty: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(size).fill(empty);
  result.set(values, by);
  return result;
}
