import Table from "cli-table3";
import { styleText } from "node:util";
import { periodStart, type Period } from "@veilgrid/protocol";

// Results go to stdout, progress and errors to stderr.

/** A line of result. */
export function line(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** A line of something else than results; it ends a line of progress that is being rewritten. */
export function notice(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${text}\n`);
}

/** A result for a program. */
export function printJson(value: unknown): void {
  line(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item), 2));
}

/** A table without borders inside, numbers to the right. */
export function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): void {
  const table = new Table({
    head: head.map((text) => styleText("bold", text)),
    colAligns: head.map((_, i) => (right.includes(i) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  line(table.toString());
}

/** "12.345 kWh" of whole Wh. */
export function kilowattHours(wh: bigint | string): string {
  const value = BigInt(wh);
  const magnitude = (value < 0n ? -value : value).toString().padStart(4, "0");
  return `${value < 0n ? "-" : ""}${magnitude.slice(0, -3)}.${magnitude.slice(-3)} kWh`;
}

/** "0.250000" of micro-units per kWh. */
export function unitPrice(micro: bigint | string): string {
  const value = BigInt(micro);
  const magnitude = (value < 0n ? -value : value).toString().padStart(7, "0");
  return `${value < 0n ? "-" : ""}${magnitude.slice(0, -6)}.${magnitude.slice(-6)}`;
}

/** "2013-04-08T00:30Z" of Unix milliseconds. */
export function utcMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

/** "2013-04-08T00:30Z" of a period's start. */
export function startOf(period: Period, periodSeconds: number): string {
  return utcMinute(periodStart(period, periodSeconds));
}

/** "1 bill", "2 bills". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Names and values, one below the other. */
export function printFacts(facts: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length));
  for (const [name, value] of facts) line(`${name.padEnd(width)}  ${value}`);
}

/** Progress of long work: one line that is rewritten on a terminal, a plain line now and then elsewhere. */
export class Progress {
  readonly #live = process.stderr.isTTY;
  readonly #quiet: boolean;
  readonly #every: number;
  #step = -1;
  #last = 0;

  /** @param every plain lines come at each such share of the work, in percent. */
  constructor(quiet: boolean, every = 10) {
    this.#quiet = quiet;
    this.#every = every;
  }

  /** `done` of `all` of some work. */
  show(what: string, done: number, all: number, detail = ""): void {
    if (this.#quiet) return;
    const percent = all === 0 ? 100 : Math.floor((100 * done) / all);
    const text = `${what} ${done}/${all} (${percent} %)${detail === "" ? "" : `  ${detail}`}`;
    if (this.#live) {
      this.#rewrite(text, done === all);
      return;
    }
    const step = Math.floor(percent / this.#every);
    if (step === this.#step && done !== all) return;
    this.#step = done === all ? -1 : step;
    process.stderr.write(`${text}\n`);
  }

  #rewrite(text: string, ends: boolean): void {
    const now = performance.now();
    if (!ends && now - this.#last < 80) return;
    this.#last = now;
    process.stderr.write(`\r\u001b[K${text}${ends ? "\n" : ""}`);
  }

  /** A step that is done. */
  say(text: string): void {
    if (!this.#quiet) notice(text);
  }
}
