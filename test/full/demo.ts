import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expectedOf, type Terms } from "../src/world/expected.js";
import { veilgrid, type Ended, type Watching } from "../src/world/demo-process.js";
import type { MeterCsv } from "../src/world/meter-csv.js";
import { scratchFolder } from "../src/world/scratch.js";
import { columns, rowsOf, type Row } from "../src/world/tables.js";
import { count, seconds, type Report } from "./report.js";

/** What the default price is, and what a run without other options is asked for. */
export const TERMS: Terms = { regions: 1, maxWh: 200_000, minMeters: 10, price: () => 250_000n };

/** How often the progress of a demo is passed on. */
const SAY_EVERY_MS = 5000;

/** A demo in a folder of its own. */
export class Demo {
  readonly out: string;
  readonly #args: readonly string[];
  readonly #report: Report;

  constructor(report: Report, name: string, args: readonly string[]) {
    this.#report = report;
    this.out = join(scratchFolder(name), "out");
    this.#args = args;
  }

  /** Runs it, or takes it up. */
  run(watching: Watching = {}): Promise<Ended> {
    let said = performance.now();
    return veilgrid(["demo", ...this.#args, "--out", this.out], {
      ...watching,
      onSaid: (text) => {
        watching.onSaid?.(text);
        if (performance.now() - said < SAY_EVERY_MS) return;
        said = performance.now();
        this.#report.progress(text.trimEnd().split("\n").at(-1) ?? "");
      },
    });
  }

  /** Runs it to its end, which must be a good one. */
  async finish(watching: Watching = {}): Promise<Ended> {
    const ended = await this.run(watching);
    const { code, stderr } = ended;
    const isGood = code === 0 && stderr.includes("nothing is wrong");
    const said = isGood ? seconds(ended.seconds) : `exit code ${code}, ${stderr.slice(-600)}`;
    this.#report.check("it ends, and an audit of the ledger finds nothing", isGood, said);
    return ended;
  }

  text(file: "bills.csv" | "periods.csv" | "outcome.json"): string {
    const path = join(this.out, file);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  rows(file: "bills.csv" | "periods.csv"): Row[] {
    return this.text(file) === "" ? [] : rowsOf(join(this.out, file));
  }

  /** Hash of the ledger's last block, in hex. */
  get tip(): string {
    const outcome = this.text("outcome.json");
    return outcome === "" ? "none" : (JSON.parse(outcome) as { ledger: { tip: string } }).ledger.tip;
  }

  /** How often a leader was elected, says an audit. */
  async elections(): Promise<number> {
    const { stdout } = await veilgrid(["audit", this.out, "--json"]);
    return (JSON.parse(stdout) as { elections: number }).elections;
  }

  /** Sums, prices and bills must be what follows from the file. */
  checkAgainst(csv: MeterCsv, terms: Terms): void {
    const expected = expectedOf(csv, terms);
    const bills = this.rows("bills.csv");
    checkRows(
      this.#report,
      "every region's sum and price is the file's, to the Wh",
      this.rows("periods.csv"),
      expected.periods,
    );
    checkRows(this.#report, "every bill is what the file says, to the unit", bills, expected.bills);
    checkVerified(this.#report, bills);
  }

  /** Sums, prices and bills must be another run's. */
  checkSameAs(other: Demo): void {
    const same = (["bills.csv", "periods.csv"] as const).filter((file) => this.text(file) === other.text(file));
    const figure = `${count(this.rows("bills.csv").length)} bills, ${count(this.rows("periods.csv").length)} sums`;
    this.#report.check("the same bills and sums", same.length === 2 && this.text("bills.csv") !== "", figure);
  }
}

function checkRows(report: Report, what: string, rows: readonly Row[], expected: readonly object[]): void {
  const compared = columns(rows, Object.keys(expected[0] ?? {}));
  const wrong = expected.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(compared[i]));
  const figure = `${count(expected.length)} of ${count(rows.length)}`;
  if (wrong < 0) report.check(what, rows.length === expected.length, figure);
  else report.check(what, false, `${JSON.stringify(compared[wrong])} instead of ${JSON.stringify(expected[wrong])}`);
}

function checkVerified(report: Report, bills: readonly Row[]): void {
  const good = bills.filter(({ verified }) => verified === "true").length;
  report.check(
    "every bill verifies from the ledger",
    good === bills.length && good > 0,
    `${count(good)} of ${count(bills.length)}`,
  );
}
