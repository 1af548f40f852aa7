import { statSync } from "node:fs";
import { MeterCsv, SGSC } from "../src/world/meter-csv.js";
import { checkAudit, exported } from "./day.js";
import { Demo, TERMS } from "./demo.js";
import { count, megabytes, seconds, type Report } from "./report.js";

const HOMES = 50;
/** "within 12 minutes on two cores with the default (WASM) engine" */
const MOST_SECONDS = 720;
/** Garbage comes and goes; what grows with the periods would be many times this over 1,440 of them. */
const SLACK = 1.25;

/** Resident memory while a run goes on, and how far it was. */
class Memory {
  readonly #samples: { readonly percent: number; readonly bytes: number }[] = [];
  #percent = 0;

  /** Takes note of how far the periods are. */
  hear(text: string): void {
    for (const [, percent] of text.matchAll(/periods on the ledger \d+\/\d+ \((\d+) %\)/g))
      this.#percent = Number(percent);
  }

  add(bytes: number): void {
    this.#samples.push({ percent: this.#percent, bytes });
  }

  /** The most in a part of the run, in bytes. */
  most(fromPercent: number, toPercent: number): number {
    const part = this.#samples.filter(({ percent }) => percent >= fromPercent && percent < toPercent);
    return Math.max(0, ...part.map(({ bytes }) => bytes));
  }
}

/** The whole file: 1,440 periods of 50 homes, with the default engine. */
export async function month(report: Report): Promise<void> {
  const memory = new Memory();
  const demo = new Demo(report, "month", ["--readings", SGSC, "--seed", "month"]);
  const { seconds: took } = await demo.finish({
    env: { VEILGRID_ENGINE: "wasm" },
    onSaid: (text) => {
      memory.hear(text);
    },
    onMemory: (bytes) => {
      memory.add(bytes);
    },
  });
  report.check("it takes less than 12 minutes", took < MOST_SECONDS, seconds(took));
  demo.checkAgainst(MeterCsv.sgsc(), TERMS);
  const thirds = [memory.most(10, 40), memory.most(40, 70), memory.most(70, 100)] as const;
  const isFlat = thirds[0] > 0 && thirds[2] <= SLACK * thirds[0];
  report.check("memory does not grow with the periods", isFlat, `most in thirds ${thirds.map(megabytes).join(", ")}`);
  report.note("most memory of all", megabytes(memory.most(0, 101)));
  const file = await exported(report, demo);
  report.note("a meter-month on the ledger", `${count(Math.round(statSync(file).size / HOMES))} bytes`);
  await checkAudit(report, file);
}
