import { randomBytes } from "node:crypto";
import { cpus, getPriority, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { ATTACKED_NICENESS, ATTACKER_NICENESS, beNice } from "../src/hostile/niceness.js";
import { attacking } from "../src/hostile/attacking.js";
import { HonestMeters, type Heard } from "../src/hostile/honest.js";
import { Latencies, slowdown } from "../src/hostile/latencies.js";
import { Siege } from "../src/hostile/siege.js";
import { Watch, usageOf, type Usage } from "../src/hostile/usage.js";
import { count, megabytes, type Report } from "./report.js";

/** What is done, for how many seconds, and whether an honest meter is promised not to wait for it. */
const ATTACKS: readonly (readonly [attack: string, seconds: number, isPromised: boolean])[] = [
  ["fuzz", 25, true],
  ["loris", 20, true],
  ["idle", 20, true],
  ["flood", 15, true],
  // Many networks at once: told, and not promised.
  ["storm", 10, false],
];
/** Nothing is done for so long at first, and before each attack. */
const WARM_SECONDS = 4;
const QUIET_SECONDS = 7;
/** After an attack the service has so long to close what is left of it. */
const CALM_MS = 2_000;
/** Readings of so many meters are the attacker's. */
const ATTACKERS = 8;
/** "honest meters' latency within twice the normal", at the median and at the 95th percentile. */
const TIMES = 2;
const SHARES = [0.5, 0.95] as const;
const ASKED = ["time", "reading", "delivery"] as const;
/**
 * Resident memory that an attack may add to a service: 4,096 connections of meters with a TLS session each, some requests
 * of organisations at 2 MiB, and what the collector has not come to.
 */
const MOST_MORE_BYTES = 256_000_000;

type Usages = ReadonlyMap<string, Usage>;

/** What honest meters see while something is done. */
async function during(meters: HonestMeters, act: () => Promise<unknown>): Promise<Heard> {
  const ending = new AbortController();
  const heard = meters.ask(ending.signal);
  try {
    await act();
  } finally {
    ending.abort();
  }
  return heard;
}

/** Tells what honest meters waited; how many times the normal that was at the worst. */
function tellLatency(report: Report, attack: string, { latencies, lost }: Heard, normal: Latencies): number {
  const slowest: number[] = [];
  for (const what of ASKED) {
    const figures = SHARES.map((share) => {
      const slower = slowdown(what, share, latencies, normal);
      slowest.push(Math.min(slower.times, slower.own));
      return `${latencies.quantile(what, share).toFixed(0)} ms, ${slower.times.toFixed(2)} times the normal (beside: ${slower.own.toFixed(2)})`;
    });
    report.note(`${what}: median and 95th percentile`, figures.join("; "));
  }
  report.check(`${attack}: every honest request is answered`, lost === 0, `${count(latencies.count)}, ${lost} lost`);
  return Math.max(...slowest);
}

function tellUsage(report: Report, siege: Siege, attack: string, before: Usages, most: Usages): void {
  for (const one of siege.attacked) {
    const [first, peak, now] = [before.get(one.name), most.get(one.name), usageOf(one)];
    if (first === undefined || peak === undefined) continue;
    const told =
      `${megabytes(first.memory)}, ${megabytes(peak.memory)} at the most, ${megabytes(now.memory)} after; ` +
      `files ${first.files}, ${peak.files}, ${now.files}; ${(peak.processor - first.processor).toFixed(1)} s of processor`;
    const isBounded = peak.memory - first.memory <= MOST_MORE_BYTES;
    report.check(`${attack}: ${one.name} takes ${megabytes(MOST_MORE_BYTES)} more at the most`, isBounded, told);
  }
}

/** One attack, compared with what was normal until then. */
async function show(
  [attack, seconds, isPromised]: (typeof ATTACKS)[number],
  { report, siege, meters, normal, seed }: Scene,
): Promise<void> {
  const before = new Map(siege.attacked.map((one) => [one.name, usageOf(one)]));
  const begun = await attacking({ attack, seconds, seed, folder: siege.papers.folder, head: siege.head });
  const watch = new Watch(siege.attacked);
  const heard = await during(meters, () => pause(1_000 * seconds));
  const done = await begun.done;
  watch.stop();
  await pause(CALM_MS);
  const told = Object.entries(done).map(([what, times]) => `${count(times)} ${what}`);
  report.note(`${attack}, ${seconds} s`, told.join(", "));
  const worst = tellLatency(report, attack, heard, normal);
  const figure = `${worst.toFixed(2)} at the worst`;
  const what = `${attack}: within ${TIMES} times the normal, or of what an aggregator beside takes longer meanwhile`;
  if (isPromised) report.check(what, worst <= TIMES, figure);
  tellUsage(report, siege, attack, before, watch.most);
}

interface Scene {
  readonly report: Report;
  readonly siege: Siege;
  readonly meters: HonestMeters;
  readonly normal: Latencies;
  readonly seed: string;
}

async function showAll(scene: Scene): Promise<void> {
  const { report, siege, meters, normal } = scene;
  await during(meters, () => pause(1_000 * WARM_SECONDS));
  for (const attack of ATTACKS) {
    normal.join((await during(meters, () => pause(1_000 * QUIET_SECONDS))).latencies);
    await show(attack, scene);
  }
  const quiet = ASKED.map(
    (what) => `${what} ${SHARES.map((share) => normal.quantile(what, share).toFixed(0)).join(" and ")} ms`,
  );
  report.note("normally, median and 95th percentile", quiet.join(", "));
  const well = await Promise.all(siege.attacked.map(async (one) => (await one.page("health"))?.status));
  report.check(
    "the attacked processes are well",
    well.every((status) => status === 200),
    well.join(", "),
  );
  const failures = siege.failures();
  report.note(
    "lines of their logs",
    siege.attacked.map(({ logged }) => count(logged.split("\n").length - 1)).join(", "),
  );
  report.check("nothing failed in them", failures.length === 0, failures.slice(0, 3).join("\n") || "no such line");
}

/** Hostile bytes, slow and idle connections and a flood against real processes, and honest meters meanwhile. */
export async function hostile(report: Report): Promise<void> {
  const seed = process.env.HOSTILE_SEED ?? randomBytes(4).toString("hex");
  report.note("seed (HOSTILE_SEED)", seed);
  beNice(ATTACKED_NICENESS);
  try {
    await lived(report, seed);
  } finally {
    beNice(0);
  }
}

async function lived(report: Report, seed: string): Promise<void> {
  const siege = await Siege.begin();
  const meters = new HonestMeters(siege.papers, siege.papers.readings(0, siege.papers.overview.meters - ATTACKERS));
  try {
    await showAll({ report, siege, meters, normal: new Latencies(), seed });
    const load = loadavg().map((value) => value.toFixed(1));
    const niceness = `niceness ${getPriority()}, the attacker's ${ATTACKER_NICENESS}`;
    report.note("machine", `${cpus().length} cores, load ${load.join(", ")}, ${niceness}`);
  } finally {
    meters.close();
    const bad = await siege.stop();
    report.check("every process stops when it is told to", bad.length === 0, bad.join(", ") || "exit code 0");
  }
}
