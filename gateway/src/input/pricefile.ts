import { periodStart, VeilgridError, type Period } from "@veilgrid/protocol";
import { scaled } from "./decimal.js";
import type { PricePolicy } from "./policy.js";
import { fileProblem, type Place } from "./problem.js";
import { CsvFile, type CsvRow } from "./source.js";
import { parseTime } from "./zone.js";

/** The header of a price file. */
export const PRICE_HEADER = ["period_start", "price_micro_per_kwh"] as const;
const INT64 = 2n ** 63n;

/** The micro-units of a price cell. @throws VeilgridError `bad-number` unless it is a whole number that fits int64. */
function priceOf(text: string, place: Place): bigint {
  const parsed = scaled(text, 0);
  if ("reason" in parsed) throw place.problem("bad-number", parsed.reason, PRICE_HEADER[1]);
  if (parsed.value >= INT64 || parsed.value < -INT64) {
    throw place.problem("bad-number", `${text} does not fit the ledger's 64 bits`, PRICE_HEADER[1]);
  }
  return parsed.value;
}

/** When the period begins, in Unix milliseconds. */
function startOf(text: string, periodSeconds: number, place: Place): number {
  const time = text.endsWith("Z") ? parseTime(text) : undefined;
  if (time === undefined) {
    throw place.problem("bad-time", `"${text}" is not a time such as 2013-04-08T00:30Z`, PRICE_HEADER[0]);
  }
  if (time.wall % (periodSeconds * 1000) !== 0) {
    throw place.problem("time-off-grid", `${text} is not the beginning of a period of ${periodSeconds} s`);
  }
  return time.wall;
}

function checkHeader({ cells, place }: CsvRow): void {
  if (cells.length === 2 && PRICE_HEADER.every((name, i) => cells[i] === name)) return;
  throw place.problem("unknown-header", `a price file begins with ${PRICE_HEADER.join(",")}`);
}

/** Prices by the period's start, from a file with the header `period_start,price_micro_per_kwh`. */
export class PriceFile implements PricePolicy {
  readonly sha256: string;
  readonly #file: string;
  readonly #periodSeconds: number;
  readonly #prices: ReadonlyMap<number, bigint>;

  private constructor(file: CsvFile, periodSeconds: number, prices: ReadonlyMap<number, bigint>) {
    this.#file = file.name;
    this.sha256 = file.sha256;
    this.#periodSeconds = periodSeconds;
    this.#prices = prices;
  }

  /**
   * Reads the whole file. An identical repeat is passed over.
   * @throws VeilgridError `unreadable-file`, `bad-gzip`, `bad-csv`, `empty-file`, `unknown-header`, `row-length`,
   * `bad-time`, `time-off-grid`, `bad-number`, `repeated-row`.
   */
  static async read(path: string, periodSeconds: number): Promise<PriceFile> {
    const file = new CsvFile(path);
    const prices = new Map<number, bigint>();
    let header = true;
    for await (const row of file.rows()) {
      if (header) checkHeader(row);
      else take(row, periodSeconds, prices);
      header = false;
    }
    if (prices.size === 0) throw fileProblem("empty-file", file.name, "it holds no price");
    return new PriceFile(file, periodSeconds, prices);
  }

  price(_region: number, period: Period): bigint {
    const start = periodStart(period, this.#periodSeconds);
    const price = this.#prices.get(start);
    if (price === undefined) throw this.#missing(start, 1);
    return price;
  }

  covers(first: Period, count: number): void {
    const start = periodStart(first, this.#periodSeconds);
    const starts = Array.from({ length: count }, (_, n) => start + n * this.#periodSeconds * 1000);
    const missing = starts.filter((at) => !this.#prices.has(at));
    if (missing[0] !== undefined) throw this.#missing(missing[0], missing.length);
  }

  describe(): string {
    return `${this.#prices.size} prices of ${this.#file}, measured or not`;
  }

  #missing(start: number, periods: number): VeilgridError {
    const periodStart = new Date(start).toISOString();
    const others = periods > 1 ? ` and ${periods - 1} more` : "";
    return new VeilgridError("price-missing", `${this.#file}: no price for the period ${periodStart}${others}`, {
      facts: { file: this.#file, period: periodStart, periods },
      blame: "caller",
    });
  }
}

function take({ cells, place }: CsvRow, periodSeconds: number, prices: Map<number, bigint>): void {
  if (cells.length !== 2) throw place.problem("row-length", `it has ${cells.length} cells, the header 2`);
  const start = startOf(cells[0] ?? "", periodSeconds, place);
  const price = priceOf(cells[1] ?? "", place);
  const before = prices.get(start);
  if (before !== undefined && before !== price) {
    throw place.problem("repeated-row", `an earlier row of the same period has ${before}, this one ${price}`);
  }
  prices.set(start, price);
}
