import { rm } from "node:fs/promises";
import { addPeriods, equalBytes, paramsCodec, toHex, VeilgridError, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import { meterLogOf, type LoggedPeriod } from "../input/meter-log.js";
import type { MeterOrder, OperatedKgcbp } from "../kgcbp/operator.js";
import { readBytes } from "../store/files.js";
import type { Run } from "../world/run.js";
import type { MeterWish } from "../world/run-meters.js";
import type { World } from "../world/world.js";
import { unfit } from "./ledger-options.js";
import { Progress } from "./output.js";
import { calendarOf, type Calendar } from "./period-argument.js";
import { addPlaceOf, type ServedOptions } from "./served-options.js";
import { reach, withRun, withWorld } from "./stages.js";

/** What a command of KGCBP's operator takes: a run's folder, or the configuration of a running service. */
export type DeskOptions = ServedOptions;

/** What the commands of KGCBP's operator say of --config. */
export const ON_A_SERVICE = `With --config FILE, the configuration of a KGCBP that runs as a service on this machine, it is that service which
is asked, by its operator's door: a socket in its data folder, which only the user that it runs as may open.`;

/** Adds --out and the like, or --config in their place. */
export function addDeskOptions(command: Command): Command {
  return addPlaceOf(command, "KGCBP");
}

/** A KGCBP that commands work with. */
export interface Desk {
  readonly kgcbp: OperatedKgcbp;
  readonly calendar: Calendar;
  /** A customer's name; a service's customers have none but their BIDs. */
  readonly nameOf: (bid: Uint8Array) => string;
  /** What a run has that a service has not: the meters themselves. */
  readonly run?: RunMeters | undefined;
}

/** The meters of a run. */
export interface RunMeters {
  readonly folder: string;
  readonly periods: readonly Period[];
  readonly logOf: (meter: string, period: Period) => Promise<LoggedPeriod | undefined>;
}

/** Works with the KGCBP of a run's folder, or with one that runs as a service. */
export function withDesk(options: DeskOptions, work: (desk: Desk) => Promise<void>): Promise<void> {
  if (options.config !== undefined) return withService(options.config, work);
  return withRun(options, (run) =>
    withWorld(run, async (world) => work(await deskOf(run, world, options.json === true))),
  );
}

async function deskOf(run: Run, world: World, json: boolean): Promise<Desk> {
  const { first, periods, periodSeconds } = run.record.input;
  const customers = await world.customers();
  return {
    kgcbp: operated(run, world, json),
    calendar: calendarOf(run),
    nameOf: (bid) => customers.find((customer) => equalBytes(customer.bid, bid))?.name ?? "",
    run: {
      folder: run.folder.path,
      periods: Array.from({ length: periods }, (_, n) => addPeriods(first, n, periodSeconds)),
      logOf: (meter, period) => world.meterLog(meter, period),
    },
  };
}

/** A run's KGCBP: customers and devices are made by the names that the operator gives them. */
function operated(run: Run, world: World, json: boolean): OperatedKgcbp {
  const { kgcbp } = world;
  return {
    cases: () => kgcbp.cases.list(),
    compare: ({ region, period, logs }) => {
      const files = new Map(logs.map((log) => [log.meter, meterLogOf(log)]));
      return kgcbp.cases.compare(region, period, (meter, at) =>
        logs.length === 0 ? world.meterLog(meter, at) : files.get(meter)?.of(at),
      );
    },
    count: ({ meter, counts, from, dryRun }) => {
      const asked = { ...(from === undefined ? {} : { from }), dryRun };
      return counts ? kgcbp.elimination.reinstate(meter, asked) : kgcbp.elimination.eliminate(meter, asked);
    },
    settle: async ({ meter, values, reason, dryRun }) => {
      const settled = await kgcbp.settling.settle(meter, values, {
        ...(reason === undefined ? {} : { reason }),
        dryRun,
      });
      if (!dryRun) await revised(world, run, new Progress(json));
      return settled;
    },
    change: async ({ order, dryRun }) => {
      const wish = wishOf(order);
      return dryRun ? { preview: await world.previewChange(wish) } : world.changeMeter(wish);
    },
    meters: () => Promise.resolve(world.meters()),
    months: () => kgcbp.retention.list(),
    erase: ({ month, ...how }) => kgcbp.retention.erase(month, how),
    copy: () => world.backup.copy(),
  };
}

function wishOf(order: MeterOrder): MeterWish {
  if (order.kind !== "add") return order;
  const { like, ...rest } = order;
  if (like === undefined)
    throw unfit("--like METER is due: the meter of the readings whose register the new one shows");
  return { ...rest, like };
}

/** A revision of a last bill goes to the ledger at once; what the run came to is concluded anew then. */
async function revised(world: World, run: Run, progress: Progress): Promise<void> {
  const { settling } = world.kgcbp;
  if (await settling.isDone()) return;
  await rm(run.folder.outcome, { force: true });
  await reach(world, run, progress, () => settling.isDone());
}

/** A service's door is found by its configuration: its data folder, parameter set and time zone. */
async function withService(file: string, work: (desk: Desk) => Promise<void>): Promise<void> {
  // Loaded when they are needed: commands on a folder do without them.
  const [{ readConfiguration }, { kgcbpShape }, { askDoor }, { kgcbpThrough }] = await Promise.all([
    import("../process/configuration.js"),
    import("../service/configuration.js"),
    import("../process/door-client.js"),
    import("../service/kgcbp-requests.js"),
  ]);
  const { data, params, timeZone } = await readConfiguration(file, kgcbpShape);
  const { periodSeconds } = paramsCodec.decode(await paramsBytes(params));
  const kgcbp = kgcbpThrough((request, given) => askDoor(data, request, given));
  await work({
    kgcbp: { ...kgcbp, change: async (asked) => kgcbp.change(served(asked)) },
    calendar: { periodSeconds, timezone: timeZone },
    nameOf: toHex,
  });
}

/** @throws VeilgridError `bad-option` for what only a run knows. */
function served(asked: Parameters<OperatedKgcbp["change"]>[0]): Parameters<OperatedKgcbp["change"]>[0] {
  const { order } = asked;
  if (order.kind === "add" && order.like !== undefined)
    throw unfit("--like is of a run's readings: a service has none");
  return asked;
}

async function paramsBytes(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  if (bytes !== undefined) return new Uint8Array(bytes);
  throw new VeilgridError("no-params", `there is no parameter set ${path}`, { facts: { path }, blame: "operator" });
}
