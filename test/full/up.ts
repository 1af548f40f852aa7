import { join } from "node:path";
import {
  isClean,
  lastPeriodsOf,
  makeConsortium,
  Running,
  TIME_LAPSE,
  type RunningReport,
  type Standing,
} from "@veilgrid/gateway";
import { REPOSITORY } from "../src/documents/repository.js";
import { Chaos } from "../src/up/chaos.js";
import { Partition } from "../src/up/partition.js";
import { scratchFolder } from "../src/world/scratch.js";
import { Network } from "./network.js";
import { count, seconds, type Report } from "./report.js";

const PROGRAM = join(REPOSITORY, "gateway", "bin", "veilgrid.js");
/** Size: UP_METERS meters in UP_REGIONS regions for UP_PERIODS periods, at UP_FACTOR times the machine's time. */
const METERS = Number(process.env.UP_METERS ?? 1000);
const REGIONS = Number(process.env.UP_REGIONS ?? 4);
const PERIODS = Number(process.env.UP_PERIODS ?? 48);
const FACTOR = process.env.UP_FACTOR === undefined ? "auto" : Number(process.env.UP_FACTOR);
const DAS = 4;
const BASE_PORT = 26_800;
/** The last aggregator is alone for so many periods, from a fifth of the run on. */
const ALONE = Math.min(10, Math.ceil(PERIODS / 4));

/** What is lived: a quiet day, and one with mishaps. UP_LIVES names those to look at. */
type Live = (report: Report, folder: string) => Promise<void>;

type Ledger = Parameters<typeof makeConsortium>[0]["ledger"];

async function made(name: string, ledger: Ledger): Promise<string> {
  const folder = join(scratchFolder("up"), name);
  await makeConsortium(
    {
      ...{ das: DAS, regions: REGIONS, meters: METERS, periodSeconds: 1800, periods: PERIODS },
      ...{ price: "flat:250000", timezone: "UTC", host: "127.0.0.1", basePort: 0 },
      first: lastPeriodsOf("2026-03", PERIODS, 1800),
      params: TIME_LAPSE,
      ledger,
    },
    folder,
  );
  return folder;
}

function tell(report: Report, what: string, result: RunningReport): void {
  const { readings, sums, bills, audit, factor, seconds: took, restarts } = result;
  const figures =
    `${count(readings.once)} of ${count(readings.receipted)} receipted readings on the ledger once, ${count(readings.due)} due; ` +
    `${sums.exact} of ${sums.measured} sums, ${bills.exact} of ${bills.issued} bills exact; ` +
    `${audit.findings.length} findings; ${factor} times the machine's time, ${seconds(took)}; ` +
    `started again: ${JSON.stringify(restarts)}`;
  report.check(what, isClean(result) && bills.issued === METERS, figures);
}

/** A day at random moments of which every aggregator is killed, the leader twice more, and one is alone for ten periods. */
function mishaps(partition: Partition): Chaos {
  const at = (): number => Math.floor(Math.random() * PERIODS);
  const kills = new Map<number, number[]>();
  for (let da = 0; da < DAS; da += 1) {
    const period = at();
    kills.set(period, [...(kills.get(period) ?? []), da]);
  }
  const from = Math.floor(PERIODS / 5);
  return new Chaos({
    kills,
    leaderKills: [Math.floor(PERIODS / 3), Math.floor((2 * PERIODS) / 3)],
    alone: {
      from,
      to: from + ALONE,
      begin: () => {
        partition.begin();
      },
      end: () => {
        partition.end();
      },
    },
  });
}

/** Tells at each period that all regions have in a block how far it is. */
function progressing(report: Report): (standing: Standing) => void {
  let told = 0;
  return ({ regions, leader, term, bills }) => {
    const committed = Math.min(...regions.map((region) => region.committed));
    if (regions.length < REGIONS || committed <= told) return;
    told = committed;
    report.progress(
      `${told} of ${PERIODS} periods in blocks, ${bills} bills, ${leader ?? "nobody"} leads term ${term}`,
    );
  };
}

async function quiet(report: Report, folder: string): Promise<void> {
  const running = new Running({ folder, program: PROGRAM, factor: FACTOR }, { onLook: progressing(report) });
  tell(report, "a day of processes", await running.run());
}

async function stormy(report: Report, folder: string): Promise<void> {
  const partition = await Partition.around(folder, DAS - 1, DAS);
  const chaos = mishaps(partition);
  const tellProgress = progressing(report);
  try {
    const running = new Running(
      { folder, program: PROGRAM, factor: FACTOR },
      {
        onLook: (standing, consortium) => {
          chaos.look(standing, consortium);
          tellProgress(standing);
        },
      },
    );
    tell(report, "the same with kills and a partition", await running.run());
    report.check("all of it happened", chaos.told.length === DAS + 2 + 2, chaos.told.join("; "));
  } finally {
    partition.close();
  }
}

const LIVES: readonly (readonly [name: string, live: Live])[] = [
  ["quiet", quiet],
  ["stormy", stormy],
];

/** @throws Error for a life that there is none of. */
function chosen(): typeof LIVES {
  const names = process.env.UP_LIVES?.split(",") ?? LIVES.map(([name]) => name);
  const unknown = names.find((name) => !LIVES.some(([life]) => life === name));
  if (unknown !== undefined) throw new Error(`UP_LIVES: there is no ${unknown}`);
  return LIVES.filter(([name]) => names.includes(name));
}

/** A consortium of processes on the embedded ledger. */
export async function processes(report: Report): Promise<void> {
  for (const [name, live] of chosen()) await live(report, await made(name, { kind: "embedded" }));
}

/** The same on real Fabric, each time on a network of its own. */
export async function processesOnFabric(report: Report): Promise<void> {
  for (const [name, live] of chosen()) {
    const network = await Network.for(report, BASE_PORT);
    if (network === undefined) return;
    try {
      if (!(await network.up())) return;
      const folder = await made(name, { kind: "fabric", profile: network.profile });
      if (await network.deploy(join(folder, "params.bin"))) await live(report, folder);
    } finally {
      await network.remove();
    }
  }
}
