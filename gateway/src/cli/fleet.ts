import { VeilgridError } from "@veilgrid/protocol";
import { InvalidArgumentError, type Command } from "commander";
import { FAULTS, parseShare, type Fault, type Shares } from "../meterside/conduct.js";
import { fleetShape } from "../meterside/configuration.js";
import type { FleetResult } from "../meterside/fleet-service.js";
import { readConfiguration } from "../process/configuration.js";
import { untilStopped } from "../process/stopping.js";
import { examples, jsonOption, whole } from "./options.js";
import { line, printJson, printTable } from "./output.js";

const NOTES = `A fleet is a load generator: its meters share connections, which no meter may that is to be anonymous. Without
--periods it goes on until SIGTERM. Exit code 1: a reading of a meter without a fault has no receipt.`;

const HELP: Readonly<Record<Fault, string>> = {
  silent: "share of meters whose register cannot be read, such as 1%",
  half: "share of meters of which one half never leaves",
  late: "share of meters whose readings arrive after the window",
  duplicate: "share of meters that send every reading twice",
  "wrong-clock": "share of meters whose clock is minutes off",
};

interface FleetOptions {
  readonly config: string;
  readonly meters?: number;
  readonly periods?: number;
  readonly within?: number;
  readonly seed: string;
  readonly json?: boolean;
}

function share(text: string): number {
  try {
    return parseShare(text);
  } catch {
    throw new InvalidArgumentError("It must be a part of all, such as 1% or 0.01.");
  }
}

/** `veilgrid fleet`: thousands of simulated meters in one process. */
export function addFleet(parent: Command): void {
  const command = parent
    .command("fleet")
    .description("run thousands of simulated meters in one process, a share of them faulty, and count what comes of it")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--meters <n>", "the first so many of the configured meters (default: all)", whole(1, 1_000_000))
    .option("--periods <n>", "end after so many periods", whole(1, 100_000))
    .option("--within <seconds>", "a burst: all halves leave so soon after a period's end", whole(1, 3_600))
    .option("--seed <text>", "draws who is faulty, and when halves leave", "veilgrid");
  for (const fault of FAULTS) command.option(`--${fault} <share>`, HELP[fault], share);
  command
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid fleet --config fleet.yaml --silent 1% --half 1% --periods 3"], NOTES))
    .action((options: FleetOptions & Readonly<Record<string, unknown>>) => run(options));
}

/** Commander names --wrong-clock wrongClock. */
function sharesOf(options: Readonly<Record<string, unknown>>): Shares {
  const given = FAULTS.map((fault) => [fault, options[fault === "wrong-clock" ? "wrongClock" : fault]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

async function run(options: FleetOptions & Readonly<Record<string, unknown>>): Promise<void> {
  const stopped = untilStopped();
  const { config, meters, periods, within, seed, json = false } = options;
  const configuration = await readConfiguration(config, fleetShape);
  // Loaded when it is needed: other commands do without gRPC.
  const { serveFleet } = await import("../meterside/fleet-service.js");
  const wish = { meters, periods, withinSeconds: within, seed, shares: sharesOf(options) };
  const fleet = await serveFleet(configuration, wish);
  let result: FleetResult;
  try {
    await Promise.race([stopped, fleet.done]);
    result = fleet.result();
  } finally {
    await fleet.close();
  }
  if (json) printJson(result);
  else print(result);
  if (result.lost > 0) {
    throw new VeilgridError("readings-lost", `${result.lost} readings that were due have no receipt`, {
      facts: { lost: result.lost },
      blame: "peer",
    });
  }
}

function print({ meters, faulty, periods, figures, seconds, cpuSeconds, residentMegabytes }: FleetResult): void {
  printTable(
    ["period", "meters that counted", "readings due", "with a receipt"],
    periods.map(({ start, recorded, due, receipted }) => [start, String(recorded), String(due), String(receipted)]),
    [1, 2, 3],
  );
  const { halves, requests, retries, receipts, unanswered, refusals, latency } = figures;
  const faults = Object.entries(faulty).filter(([, count]) => count > 0);
  line(`meters     ${meters}${faults.map(([fault, count]) => `, ${count} ${fault}`).join("")}`);
  line(`halves     ${halves} in ${requests} requests, ${retries} of them again, ${unanswered} without an answer`);
  line(`receipts   ${receipts}, after ${latency.p50} ms (median), ${latency.p95} ms (p95), ${latency.p99} ms (p99)`);
  for (const [name, count] of Object.entries(refusals)) line(`refused    ${count} ${name}`);
  line(`process    ${seconds} s, ${cpuSeconds} s of CPU time, ${residentMegabytes} MB`);
}
