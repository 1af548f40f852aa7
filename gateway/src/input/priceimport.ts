import { roundHalfAway } from "@veilgrid/protocol";
import { scaled } from "./decimal.js";
import { fileProblem, type Place } from "./problem.js";
import { PRICE_HEADER } from "./pricefile.js";
import { CsvFile, type CsvRow } from "./source.js";
import { instantsOf, parseTime, Zone } from "./zone.js";

/** The price lists that can be imported. */
export type PriceSource = "aemo" | "lcl";

/** How a source is written. */
interface Form {
  readonly time: string;
  readonly price: string;
  /** Zone of its times where they have no offset of their own. */
  readonly timezone: string;
  /** Decimals that are read exactly, and by what the number so read is divided to give micro-units per kWh. */
  readonly decimals: number;
  readonly divisor: bigint;
  readonly currency: string;
}

const FORMS: Readonly<Record<PriceSource, Form>> = {
  // 1 AUD/MWh = 0.001 AUD/kWh = 1,000 micro-AUD/kWh: 10^9 / 1,000 = 10^6.
  aemo: {
    time: "interval_start_nem_time",
    price: "rrp_aud_per_mwh",
    timezone: "Australia/Brisbane",
    decimals: 9,
    divisor: 1_000_000n,
    currency: "micro-AUD",
  },
  // 1 penny/kWh = 0.01 GBP/kWh = 10,000 micro-GBP/kWh: 10^9 / 10,000 = 10^5.
  lcl: {
    time: "tariff_datetime",
    price: "price_pence_per_kwh",
    timezone: "Europe/London",
    decimals: 9,
    divisor: 100_000n,
    currency: "micro-GBP",
  },
};

const HALF_HOUR_MS = 1_800_000;
const INT64 = 2n ** 63n;

export interface PriceRow {
  /** Unix milliseconds. */
  readonly start: number;
  /** Micro-units per kWh. */
  readonly price: bigint;
}

/** Prices by time ascending, and what had to be decided on the way. */
export interface PriceImport {
  readonly rows: readonly PriceRow[];
  /** The micro-unit of the prices: "micro-AUD" or "micro-GBP". */
  readonly currency: string;
  /** Prices that were no whole micro-unit and were rounded to the nearest one, halves away from zero. */
  readonly rounded: number;
  /** Rows that say again what an earlier row said. */
  readonly identicalRepeats: number;
  /** Rows for times that no clock showed (the hour skipped when summer time begins), passed over. */
  readonly nonexistent: number;
  /** Rows that stand for both passes of the hour that is had twice when summer time ends. */
  readonly doubled: number;
}

/** All rows for one written time, in the order of the file. */
interface Written {
  readonly instants: readonly number[];
  readonly rows: { readonly price: bigint; readonly place: Place }[];
}

interface Columns {
  readonly width: number;
  readonly time: number;
  readonly price: number;
}

/**
 * Converts a published half-hourly price list to micro-units per kWh in UTC: `aemo` from AUD/MWh at +10:00, `lcl` from
 * pence per kWh by the clock of London (or of `timezone`).
 *
 * The rule where the clock changes: a row for a time that no clock showed is passed over (it never applied); where the
 * clock showed a time twice, two rows are the first and the second pass, and one row stands for both.
 * @throws VeilgridError with a ProblemCode; `unknown-timezone`.
 */
export async function importPrices(source: PriceSource, path: string, timezone?: string): Promise<PriceImport> {
  const form = FORMS[source];
  const reader = new Reader(form, new Zone(timezone ?? form.timezone));
  const file = new CsvFile(path);
  let columns: Columns | undefined;
  for await (const row of file.rows()) {
    if (columns === undefined) columns = columnsOf(row, form);
    else reader.take(row, columns);
  }
  const result = reader.result();
  if (result.rows.length === 0) throw fileProblem("empty-file", file.name, "it holds no price");
  return result;
}

/** The prices as a price file: ISO times in UTC, LF. */
export function priceCsv(rows: readonly PriceRow[]): string {
  const lines = rows.map(({ start, price }) => `${new Date(start).toISOString().slice(0, 16)}Z,${price}\n`);
  return `${PRICE_HEADER.join(",")}\n${lines.join("")}`;
}

function columnsOf({ cells, place }: CsvRow, form: Form): Columns {
  const [time, price] = [form.time, form.price].map((name) => cells.indexOf(name)) as [number, number];
  if (time < 0 || price < 0) {
    throw place.problem("unknown-header", `it has no columns ${form.time} and ${form.price}`);
  }
  return { width: cells.length, time, price };
}

class Reader {
  readonly #form: Form;
  readonly #zone: Zone;
  readonly #written = new Map<string, Written>();
  #rounded = 0;
  #identicalRepeats = 0;
  #nonexistent = 0;
  #doubled = 0;

  constructor(form: Form, zone: Zone) {
    this.#form = form;
    this.#zone = zone;
  }

  take({ cells, place }: CsvRow, columns: Columns): void {
    if (cells.length !== columns.width) {
      throw place.problem("row-length", `it has ${cells.length} cells, the header ${columns.width}`);
    }
    const text = cells[columns.time] ?? "";
    const price = this.#price(cells[columns.price] ?? "", place);
    const written = this.#written.get(text) ?? { instants: this.#instants(text, place), rows: [] };
    if (written.instants.length === 0) this.#nonexistent += 1;
    written.rows.push({ price, place });
    this.#written.set(text, written);
  }

  result(): PriceImport {
    const prices = new Map<number, bigint>();
    for (const written of this.#written.values()) this.#settle(written, prices);
    return {
      rows: [...prices].map(([start, price]) => ({ start, price })).sort((a, b) => a.start - b.start),
      currency: this.#form.currency,
      rounded: this.#rounded,
      identicalRepeats: this.#identicalRepeats,
      nonexistent: this.#nonexistent,
      doubled: this.#doubled,
    };
  }

  #instants(text: string, place: Place): readonly number[] {
    const time = parseTime(text);
    if (time === undefined) throw place.problem("bad-time", `"${text}" is not a date and time`, this.#form.time);
    const instants = instantsOf(time, this.#zone);
    if (instants.some((instant) => instant % HALF_HOUR_MS !== 0)) {
      throw place.problem("time-off-grid", `${text} is not the beginning of a half-hour`, this.#form.time);
    }
    return instants;
  }

  #price(text: string, place: Place): bigint {
    const { price: column, decimals, divisor } = this.#form;
    const parsed = scaled(text, decimals);
    if ("reason" in parsed) throw place.problem("bad-number", parsed.reason, column);
    const price = roundHalfAway(parsed.value, divisor);
    if (price >= INT64 || price < -INT64) {
      throw place.problem("bad-number", `${text} does not fit the ledger's 64 bits`, column);
    }
    if (price * divisor !== parsed.value) this.#rounded += 1;
    return price;
  }

  #settle({ instants, rows }: Written, prices: Map<number, bigint>): void {
    if (instants.length === 2 && rows.length === 1) this.#doubled += 1;
    for (const [pass, start] of instants.entries()) {
      const row = rows[pass] ?? rows[0];
      if (row !== undefined) this.#put(prices, start, row);
    }
    for (const row of rows.slice(instants.length)) {
      const start = instants.at(-1);
      if (start === undefined) continue;
      this.#identicalRepeats += 1;
      this.#put(prices, start, row);
    }
  }

  #put(prices: Map<number, bigint>, start: number, { price, place }: Written["rows"][number]): void {
    const before = prices.get(start);
    if (before !== undefined && before !== price) {
      throw place.problem("repeated-row", `an earlier row of the same time has ${before}, this one ${price}`);
    }
    prices.set(start, price);
  }
}
