import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** Micro-watt-hours in a kWh, and in a Wh. */
const PER_KWH = 1_000_000_000n;
const PER_WH = 1_000_000n;

/** The repository's data files. */
export const SGSC = fileURLToPath(new URL("../../../../data/sgsc/sgsc50_2013-04-08_30d_wide.csv", import.meta.url));
export const SWISS = fileURLToPath(
  new URL("../../../../data/swiss537/swiss537_30min_30d_wide.csv.gz", import.meta.url),
);

function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function microWattHours(text: string): bigint {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${text} is no number of kWh`);
  const magnitude = BigInt(whole) * PER_KWH + BigInt(fraction.padEnd(9, "0"));
  return sign === "-" ? -magnitude : magnitude;
}

function splitLines(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(","));
}

/**
 * A wide CSV of kWh, read without any of the product's code: what a run says of it is compared with this. A cell is its
 * text, "" for a reading that the meter never made.
 */
export class MeterCsv {
  readonly households: readonly string[];
  /** Beginnings of the periods, Unix milliseconds. */
  readonly starts: readonly number[];
  /** By period and household. */
  readonly cells: readonly (readonly string[])[];

  constructor(households: readonly string[], starts: readonly number[], cells: readonly (readonly string[])[]) {
    this.households = households;
    this.starts = starts;
    this.cells = cells;
  }

  /** Real homes of the file with dates: `homes` of them, `periods` half-hours from `from` (ISO time, UTC) on. */
  static sgsc(homes = 50, periods = 1440, from = "2013-04-08T00:00Z"): MeterCsv {
    const [header, ...rows] = splitLines(readFileSync(SGSC, "utf8")) as [string[], ...string[][]];
    const starts = rows.map(([time]) => Date.parse(`${time as string}Z`));
    const first = starts.indexOf(Date.parse(from));
    return new MeterCsv(
      header.slice(1, 1 + homes),
      starts.slice(first, first + periods),
      rows.slice(first, first + periods).map((row) => row.slice(1, 1 + homes)),
    );
  }

  /** The file without dates, from `start` (the first row's period, Unix milliseconds) on. */
  static swiss(start: number): MeterCsv {
    const [header, ...rows] = splitLines(gunzipSync(readFileSync(SWISS)).toString("utf8")) as [string[], ...string[][]];
    // Its first four columns are period, week, day_of_week, half_hour.
    const starts = rows.map(([period]) => start + (Number(period) - 1) * 1_800_000);
    return new MeterCsv(
      header.slice(4),
      starts,
      rows.map((row) => row.slice(4)),
    );
  }

  /** The periods that begin at `from` (Unix milliseconds) or later, at most `count`. */
  since(from: number, count = Infinity): MeterCsv {
    const first = this.starts.findIndex((start) => start >= from);
    const end = first + Math.min(count, this.starts.length);
    return new MeterCsv(this.households, this.starts.slice(first, end), this.cells.slice(first, end));
  }

  /** The same with other cells. */
  with(change: (text: string, household: number, n: number) => string): MeterCsv {
    const cells = this.cells.map((row, n) => row.map((text, household) => change(text, household, n)));
    return new MeterCsv(this.households, this.starts, cells);
  }

  /** The same values in periods of `seconds` from the same beginning. */
  every(seconds: number): MeterCsv {
    const [begin] = this.starts as [number];
    const starts = this.starts.map((_, n) => begin + n * seconds * 1000);
    return new MeterCsv(this.households, starts, this.cells);
  }

  /** Writes it as a file that the product reads. */
  write(path: string): string {
    const lines = this.cells.map((row, n) => {
      const time = new Date(this.starts[n] as number).toISOString().slice(0, 16);
      return `${time},${row.join(",")}\n`;
    });
    writeFileSync(path, `reading_datetime,${this.households.join(",")}\n${lines.join("")}`);
    return path;
  }

  /**
   * What each household's register shows for each period, by household and period: the difference of two sums floored
   * to whole Wh. Undefined where the meter made no reading.
   */
  wattHours(): (bigint | undefined)[][] {
    return this.households.map((_, household) => {
      let micro = 0n;
      return this.cells.map((row) => {
        const text = row[household] as string;
        if (text === "") return undefined;
        const before = floorDiv(micro, PER_WH);
        micro += microWattHours(text);
        return floorDiv(micro, PER_WH) - before;
      });
    });
  }
}
