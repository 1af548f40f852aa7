import { styleText } from "node:util";
import { monthName, type Period } from "@veilgrid/protocol";
import { readPage, samplesIn, total, type Sample } from "../local/pages.js";
import type { Step } from "../local/running.js";
import type { ProcessEvent } from "../local/supervisor.js";
import type { LocalConsortium } from "../local/up.js";
import type { SeenBlock, Standing } from "../local/watch.js";
import { utcMinute } from "./output.js";

/** Milliseconds between two pictures, and between two looks at the services' pages. */
const PICTURE = 400;
const STDERR = { stream: process.stderr };
const PAGES = 2000;

/** What is shown of a service. */
interface ServiceFigures {
  readonly name: string;
  readonly isWell: boolean;
  readonly readings: number;
  readonly rejected: number;
  readonly votes: number;
  readonly megabytes: number;
  readonly cpuSeconds: number;
}

/** Text of the steps of a run. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case "starting":
      return `${step.isResumed ? "going on" : "starting"}: time goes ${step.factor} times as fast`;
    case "adapting":
      return `the machine is at another pace: time goes ${step.to} times as fast, after ${step.from}`;
    case "covered":
      return "the epochs are on the ledger";
    case "metering":
      return "the meters send";
    case "priced":
      return "every period has its price";
    case "billed":
      return "every customer has a bill";
    case "reckoning":
      return "comparing registers, receipts, ledger and bills";
  }
}

/** Text of what happened to a process; undefined for what needs no word. */
export function processText(event: ProcessEvent): string | undefined {
  if (event.kind === "stopped") return undefined;
  if (event.kind === "given-up") return `${event.name} ends again and again: see ${event.log}`;
  if (event.kind === "ended") {
    return `${event.name} ended (${event.signal ?? `exit code ${String(event.code)}`})`;
  }
  return event.restarts > 0 ? `${event.name} was started again` : undefined;
}

/** Text of a committed block. */
export function blockText({ region, k, readings, round, isFaulty, latency }: SeenBlock, period: Period): string {
  const name = `region ${region}, ${monthName(period.month)} period ${k}`;
  const rounds = round === 0 ? "" : `, round ${round}`;
  return `${name}: ${readings} readings${rounds}${isFaulty ? ", with a fault" : ""}, ${(latency / 1000).toFixed(0)} s after its window`;
}

/** The live picture of a consortium on a terminal; where there is none, only lines are written. */
export class UpView {
  readonly #isLive = process.stderr.isTTY;
  readonly #isQuiet: boolean;
  #lines = 0;
  #last = 0;
  #pages = 0;
  #figures: readonly ServiceFigures[] = [];

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.#isQuiet) return;
    this.#clear();
    process.stderr.write(`${text}\n`);
  }

  /** Shows where everything is. */
  show(standing: Standing, consortium: LocalConsortium): void {
    if (!this.#isLive || this.#isQuiet) return;
    const now = Date.now();
    if (now - this.#pages > PAGES) {
      this.#pages = now;
      void this.#readPages(consortium);
    }
    if (now - this.#last < PICTURE) return;
    this.#last = now;
    this.#clear();
    const lines = [...pictureOf(standing, consortium), ...this.#figures.map(figuresText)];
    this.#lines = lines.length;
    process.stderr.write(`${lines.join("\n")}\n`);
  }

  /** The picture is over. */
  end(): void {
    this.#lines = 0;
  }

  #clear(): void {
    if (this.#lines > 0) process.stderr.write(`\u001b[${this.#lines}A\u001b[J`);
    this.#lines = 0;
  }

  async #readPages({ overview }: LocalConsortium): Promise<void> {
    const { host, das } = overview.places;
    this.#figures = await Promise.all(
      das.map(async ({ http }, i) => {
        const [metrics, health] = await Promise.all([
          readPage(host, http, "/metrics"),
          readPage(host, http, "/health"),
        ]);
        return figuresOf(`da${i}`, samplesIn(metrics?.text ?? ""), health?.status === 200);
      }),
    );
  }
}

function figuresOf(name: string, samples: readonly Sample[], isWell: boolean): ServiceFigures {
  const readings = total(samples, "veilgrid_readings_total", { answer: "accepted" }) ?? 0;
  return {
    name,
    isWell,
    readings,
    rejected: (total(samples, "veilgrid_readings_total") ?? 0) - readings,
    votes: total(samples, "veilgrid_votes_total", { vote: "accepted" }) ?? 0,
    megabytes: (total(samples, "process_resident_memory_bytes") ?? 0) / 1_048_576,
    cpuSeconds: total(samples, "process_cpu_seconds_total") ?? 0,
  };
}

function figuresText({ name, isWell, readings, rejected, votes, megabytes, cpuSeconds }: ServiceFigures): string {
  const state = isWell ? styleText("green", "well", STDERR) : styleText("yellow", "waiting", STDERR);
  return (
    `  ${name.padEnd(6)}${state.padEnd(isWell ? 6 : 8)}  ${readings} receipts, ${rejected} others, ${votes} votes, ` +
    `${megabytes.toFixed(0)} MiB, ${cpuSeconds.toFixed(0)} s CPU`
  );
}

/** The picture's lines that come from the ledger. */
function* pictureOf(standing: Standing, consortium: LocalConsortium): Generator<string> {
  const { height, term, leader, regions, bills } = standing;
  const { overview } = consortium;
  yield styleText(
    "bold",
    `${utcMinute(consortium.now())}: ledger ${height} blocks, term ${term}, leader ${leader ?? "none"}, ${bills}/${overview.meters} bills`,
    STDERR,
  );
  for (const { region, covered, committed, released, priced, missing, last } of regions) {
    const latency = last === undefined ? "" : `, last ${(last.latency / 1000).toFixed(0)} s, round ${last.round}`;
    yield `  region ${region}: ${committed}/${covered} periods, ${released} released, ${priced} priced, ${missing} missing${latency}`;
  }
}
