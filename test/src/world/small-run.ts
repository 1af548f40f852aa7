import { readFileSync } from "node:fs";
import { join } from "node:path";
import { headerCodec, type Header } from "@veilgrid/protocol";
import {
  Audit,
  conclude,
  DataFolder,
  MemoryStore,
  parsePolicy,
  readReadings,
  Run,
  type AuditReport,
  type Log,
  type Outcome,
  type RunArguments,
  type Stop,
  type World,
} from "@veilgrid/gateway";
import type { MeterCsv } from "./meter-csv.js";
import { scratchFolder } from "./scratch.js";
import { rowsOf, type Row } from "./tables.js";

/** 0.25 of a unit a kWh. */
export const FLAT = 250_000n;

/** What these tests ask for, unless one says otherwise: two regions of six homes. */
const ASKED: RunArguments = {
  regions: 2,
  das: 4,
  price: `flat:${FLAT}`,
  completeness: "set",
  release: "after-commit",
  faults: [],
  maxWhPerPeriod: 200_000,
  minReleaseMeters: 5,
  ledger: "embedded",
  timezone: "UTC",
  seed: "7",
  tariff: null,
};

/**
 * Begins a run of a file in a folder (a new one, unless given), or takes it up.
 * @param profile of the network, where the run is on Fabric.
 */
export async function beginRun(
  csv: MeterCsv,
  asked: Partial<RunArguments> = {},
  folder = scratchFolder("run"),
  profile?: string,
): Promise<Run> {
  const readings = await readReadings(csv.write(join(folder, "input.csv")), { periodSeconds: secondsOf(csv) });
  const { households, firstPeriod, periods, periodSeconds, sha256, format } = readings;
  const all = { ...ASKED, ...asked };
  const policy = await parsePolicy(all.price, { periodSeconds, timezone: all.timezone });
  const input = { sha256, format, households: [...households], first: firstPeriod, periods, periodSeconds };
  const record = { version: 1, arguments: all, input: { ...input, prices: policy.sha256 ?? null } } as const;
  return Run.begin(new DataFolder(join(folder, "out")), record, readings, profile);
}

function secondsOf({ starts: [first, second] }: MeterCsv): 900 | 1800 {
  return (second as number) - (first as number) === 900_000 ? 900 : 1800;
}

/** No run takes longer in virtual time: a month to its bills, and what faults may add. */
const LONGEST_MS = 100 * 86_400_000;

/**
 * Runs a world until every customer has every bill, it has to wait for a quorum, or `until` says so.
 * @throws Error if none of it comes.
 */
export async function advance(
  world: World,
  onBlock: (header: Header) => void = () => undefined,
  until: () => boolean = () => false,
): Promise<Stop> {
  const latest = world.clock.now() + LONGEST_MS;
  const isDone = async (): Promise<boolean> => {
    if (world.clock.now() > latest) throw new Error("the run gets nowhere");
    if (until()) return true;
    for (const month of world.months()) if (!(await world.billed(month))) return false;
    return true;
  };
  return world.advance(isDone, onBlock);
}

/** How a run goes, other than just on. */
export interface Doing {
  /** Whether the roles share a memory of verified signatures. */
  readonly remember?: boolean;
  readonly log?: Log;
  /** Called with the open world before anything moves. */
  readonly watch?: (world: World) => Promise<void> | void;
}

/** A run that came to its end, and what it left behind. */
export interface Finished {
  readonly run: Run;
  readonly outcome: Outcome;
  /** Hash of the ledger's last block, hex. */
  readonly tip: string;
  readonly bills: readonly Row[];
  readonly periods: readonly Row[];
  readonly billsText: string;
  readonly periodsText: string;
  /** Headers of all committed blocks, in the ledger's order. */
  readonly headers: readonly Header[];
  readonly audit: AuditReport;
}

/** Runs to the bills, has them verified, and audits the ledger. @throws Error if a quorum is lost. */
export async function finish(run: Run, { watch, ...options }: Doing = {}): Promise<Finished> {
  const world = await run.world(options);
  try {
    await watch?.(world);
    const stop = await advance(world);
    if (stop.reason !== "goal") throw new Error(`the run stopped: ${stop.reason}`);
    return await concluded(run, world);
  } finally {
    await world.close();
  }
}

/** What a world whose bills are out came to. */
export async function concluded(run: Run, world: World): Promise<Finished> {
  const outcome = await conclude(run, world, () => undefined);
  const { headers, audit } = await auditOf(world);
  const { folder } = run;
  return {
    run,
    outcome,
    tip: outcome.ledger.tip,
    bills: rowsOf(folder.bills),
    periods: rowsOf(folder.periods),
    billsText: readFileSync(folder.bills, "utf8"),
    periodsText: readFileSync(folder.periods, "utf8"),
    headers,
    audit,
  };
}

/** The audit of a world's ledger, and the headers of its blocks. */
export async function auditOf({ ledger }: World): Promise<{ headers: Header[]; audit: AuditReport }> {
  const audit = new Audit(new MemoryStore());
  const headers: Header[] = [];
  for await (const block of ledger.blocks(0n)) {
    await audit.add(block);
    for (const { event } of block.transactions) {
      if (event?.name === "block") headers.push(headerCodec.decode(event.payload));
    }
  }
  return { headers, audit: audit.report };
}
