import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RemoteLedger } from "@veilgrid/gateway";
import { LedgerView, addPeriods, periodStart, type Period } from "@veilgrid/protocol";
import { Service, pause, run } from "./services.js";
import type { Usage } from "./usage.js";

// What a fleet of meters takes of a consortium whose processes share this machine: `npm run bench:fleet -- --meters N`.
// Ledger service, aggregators, control center, KGCBP and the fleet are processes of their own, over TLS.

const { values: asked } = parseArgs({
  options: {
    meters: { type: "string", default: "1000" },
    regions: { type: "string", default: "10" },
    periods: { type: "string", default: "3" },
    /** How much faster than the machine's the consortium's time goes; 1 is real time. */
    factor: { type: "string", default: "1" },
    /** Seconds of the machine before the first period, in which KGCBP makes the epochs. */
    lead: { type: "string", default: "60" },
    /** Seconds of the consortium's time within which all halves leave; the whole window if not given. */
    within: { type: "string" },
    /** The share of meters that has each of the faults, such as 1%. */
    faulty: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const [METERS, REGIONS, PERIODS] = [Number(asked.meters), Number(asked.regions), Number(asked.periods)];
const [FACTOR, LEAD] = [Number(asked.factor), Number(asked.lead)];
const PERIOD_SECONDS = 900;
const WINDOW_SECONDS = 600;
const FAULTS = ["silent", "half", "late", "duplicate", "wrong-clock"];
/** Aggregators exchange what they have for so long after a window, and then freeze its period. */
const FORWARD_SECONDS = 300;
/** The machine's milliseconds in which blocks must be there after the last period is frozen. */
const BLOCKS_MS = 120_000;

interface Overview {
  readonly first: Period;
  readonly das: readonly string[];
  readonly places: {
    readonly das: readonly { readonly http: number }[];
    readonly cc: { readonly http: number };
    readonly kgcbp: { readonly http: number };
    readonly ledger: { readonly listen: number; readonly http: number };
    readonly fleet: { readonly http: number };
  };
}

interface FleetResult {
  readonly lost: number;
  readonly longestQueue: number;
  readonly periods: readonly { readonly due: number; readonly receipted: number }[];
  readonly figures: {
    readonly halves: number;
    readonly requests: number;
    readonly retries: number;
    readonly receipts: number;
    readonly refusals: Readonly<Record<string, number>>;
    readonly latency: Readonly<Record<"p50" | "p95" | "p99" | "max", number>>;
  };
}

/** A meters' network of one address must not be held to a household's rates. */
const UNLIMITED: Readonly<Record<string, string>> = {
  CALLS: "4096",
  STREAMS: "256",
  CALLS_PER_SECOND: "100000",
  CALL_BURST: "100000",
  CONNECTION_BYTES: "1000000000000",
};

function environment(origin: number, start: number, first: number): Record<string, string> {
  const limits = Object.entries(UNLIMITED).map(([name, value]) => [`VEILGRID_LIMITS_METERS_${name}`, value]);
  return {
    VEILGRID_CLOCK_ORIGIN: new Date(origin).toISOString(),
    VEILGRID_CLOCK_START: new Date(start).toISOString(),
    VEILGRID_CLOCK_FACTOR: String(FACTOR),
    VEILGRID_LOG_LEVEL: "warn",
    first: new Date(first).toISOString(),
    bundle: String(Math.min(60_000, Math.round(40 * FACTOR))),
    ...(Object.fromEntries(limits) as Record<string, string>),
  };
}

/** Variables that a process of a kind knows: an unknown one is refused. */
function environmentOf(kind: "ledger" | "da" | "role" | "fleet", all: Record<string, string>): Record<string, string> {
  const { first = "", bundle = "", ...rest } = all;
  const entries = Object.entries(rest).filter(([name]) => kind === "da" || !name.includes("_LIMITS_METERS_"));
  const own = Object.fromEntries(entries);
  if (kind === "da") return { ...own, VEILGRID_LIMITS_BUNDLE_MS: bundle };
  return kind === "fleet" ? { ...own, VEILGRID_FIRST: first } : own;
}

/** Distinct readings in the blocks of all regions and periods, as soon as all are there; at `end` of those that are. */
async function committed(folder: string, { first, places }: Overview, end: number): Promise<number> {
  const own = (name: string): string => readFileSync(join(folder, "kgcbp", name), "utf8");
  const msp = /^msp: (.*)$/m.exec(own("kgcbp.yaml"))?.[1] ?? "";
  const ledger = await RemoteLedger.open({
    endpoint: { target: `127.0.0.1:${places.ledger.listen}`, authority: own("authorities/ledger.pem") },
    identities: [{ msp, certificate: own("tls/own.pem"), key: own("tls/own.key") }],
    path: join(folder, "reader"),
  });
  try {
    const view = new LedgerView(ledger.state);
    for (;;) {
      const counts = await Promise.all(
        Array.from({ length: REGIONS * PERIODS }, (_, i) => {
          const period = addPeriods(first, Math.floor(i / REGIONS), PERIOD_SECONDS);
          return view.readings(1 + (i % REGIONS), period);
        }),
      );
      if (counts.every((one) => one !== undefined) || Date.now() > end) {
        return counts.reduce((sum, one) => sum + (one?.count ?? 0), 0);
      }
      await pause(500);
    }
  } finally {
    await ledger.close();
  }
}

/** No reading is lost: each that was due has a receipt, and what has a receipt is in a block. */
function holds({ lost, figures }: FleetResult, onLedger: number): boolean {
  return lost === 0 && onLedger >= figures.receipts;
}

function row(name: string, before: Usage | undefined, after: Usage | undefined, seconds: number): string {
  const made = before?.cpuSeconds ?? 0;
  const cpu = (after?.cpuSeconds ?? 0) - made;
  const share = `${((100 * cpu) / seconds).toFixed(0)} %`;
  return `| ${name} | ${made.toFixed(1)} s | ${cpu.toFixed(1)} s | ${share} | ${after?.megabytes ?? 0} MB |`;
}

/** A consortium of processes, and when its first window opens, in milliseconds of the machine. */
async function started(
  folder: string,
  services: Service[],
): Promise<{ overview: Overview; opens: number; fleet: Service }> {
  const out = join(folder, "consortium");
  const shape = `--meters ${METERS} --regions ${REGIONS} --periods ${PERIODS} --period-seconds ${PERIOD_SECONDS}`;
  await run(`consortium init ${shape} --out ${out}`.split(" "));
  const overview = JSON.parse(readFileSync(join(out, "consortium.json"), "utf8")) as Overview;
  const { places } = overview;
  const first = periodStart(overview.first, PERIOD_SECONDS);
  const [origin, start] = [Date.now(), first - LEAD * FACTOR * 1000];
  const all = environment(origin, start, first);
  const serve = (name: string, args: string[], http: number, kind: "ledger" | "da" | "role"): Service => {
    const config = join(out, name, `${name.replace(/\d/g, "")}.yaml`);
    const options = { env: environmentOf(kind, all), http, log: join(folder, `${name}.log`) };
    const service = new Service(name, [...args, "serve", "--config", config], options);
    services.push(service);
    return service;
  };
  await serve("ledger", ["ledger"], places.ledger.http, "ledger").ready();
  for (const [i, { http }] of places.das.entries()) serve(`da${i}`, ["da"], http, "da");
  serve("cc", ["cc"], places.cc.http, "role");
  serve("kgcbp", ["kgcbp"], places.kgcbp.http, "role");
  for (const service of services) await service.ready();
  const env = environmentOf("fleet", all);
  const fleet = new Service("fleet", fleetArguments(out), { env, log: join(folder, "fleet.log") });
  services.push(fleet);
  return { overview, fleet, opens: origin + (first + PERIOD_SECONDS * 1000 - start) / FACTOR };
}

function fleetArguments(out: string): string[] {
  const args = ["fleet", "--config", join(out, "meters", "fleet.yaml"), "--periods", String(PERIODS), "--json"];
  if (asked.within !== undefined) args.push("--within", asked.within);
  if (asked.faulty !== undefined) for (const fault of FAULTS) args.push(`--${fault}`, asked.faulty);
  return args;
}

async function bench(folder: string, services: Service[]): Promise<void> {
  const { overview, opens, fleet } = await started(folder, services);
  // What comes before the first window is starting, and KGCBP's making of epochs.
  await pause(Math.max(0, opens - Date.now()));
  const made = services.map((service) => service.usage);
  const [since, usages] = [Date.now(), new Map<string, Usage | undefined>()];
  const look = (): void => {
    for (const service of services) usages.set(service.name, service.usage ?? usages.get(service.name));
  };
  const watching = setInterval(look, 500);
  const result = JSON.parse(await fleet.printed()) as FleetResult;
  const frozen = opens + (1000 * ((PERIODS - 1) * PERIOD_SECONDS + WINDOW_SECONDS + FORWARD_SECONDS)) / FACTOR;
  const onLedger = await committed(join(folder, "consortium"), overview, frozen + BLOCKS_MS);
  clearInterval(watching);
  look();
  const seconds = (Date.now() - since) / 1000;
  tell(result, onLedger);
  console.log(`\n| process | CPU time before | in ${seconds.toFixed(0)} s of windows | of one core | most memory |`);
  console.log("| --- | ---: | ---: | ---: | ---: |");
  for (const [i, { name }] of services.entries()) console.log(row(name, made[i], usages.get(name), seconds));
  if (holds(result, onLedger)) return;
  console.error("readings were lost");
  process.exitCode = 1;
}

function tell({ figures, periods, lost, longestQueue }: FleetResult, onLedger: number): void {
  const { latency, receipts, retries, refusals } = figures;
  const window = (asked.within === undefined ? WINDOW_SECONDS : Number(asked.within)) / FACTOR;
  const due = periods.reduce((sum, period) => sum + period.due, 0);
  console.log(
    `\n${METERS} meters, ${REGIONS} regions, ${PERIODS} periods of ${PERIOD_SECONDS / FACTOR} s (time x ${FACTOR})`,
  );
  console.log(`readings due ${due}, receipts ${receipts}, lost ${lost}, in blocks ${onLedger}`);
  console.log(
    `intake ${((2 * METERS) / window).toFixed(0)} readings a second in a window, each verified by each aggregator`,
  );
  console.log(`receipts after ${latency.p50} ms (median), ${latency.p95} ms (p95), ${latency.p99} ms (p99)`);
  console.log(`retries ${retries}, refusals ${JSON.stringify(refusals)}, longest queue ${longestQueue}`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "veilgrid-fleet-"));
  const services: Service[] = [];
  console.log(
    `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
      `Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
  );
  try {
    await bench(folder, services);
  } finally {
    for (const service of services.reverse()) await service.stop();
    if (asked.keep) console.log(folder);
    else rmSync(folder, { recursive: true, force: true });
  }
}

await main();
