import { paramsDefaults, periodAt, VeilgridError, type Period } from "@veilgrid/protocol";
import { Option, type Command } from "commander";
import { readFile } from "node:fs/promises";
import { checkOptions } from "../input/options.js";
import { parsePolicy } from "../input/prices.js";
import { profileHouseholds } from "../input/profile.js";
import { readReadings } from "../input/readings.js";
import { firstPeriods, type ReadingsTable } from "../input/table.js";
import { SeededRandom } from "../random.js";
import { requirePossible, type LedgerKind, type RunRecord } from "../world/plan.js";
import { outOption, whole } from "./options.js";

/** The first day of a demo without a file: a Monday. */
const DEMO_START = Date.UTC(2026, 2, 2);
const DEMO_METERS = 40;
const HALF_HOUR = 1800;
const HALF_HOUR_MS = 1000 * HALF_HOUR;
/** More than anybody waits for. */
const MAX_METERS = 100_000;
const MAX_DAYS = 3_660;

/** The options that say what a run is. */
export interface RunOptions {
  readonly readings?: string;
  readonly meters: number;
  readonly regions?: number;
  readonly days?: number;
  readonly periods?: number;
  readonly from?: string;
  readonly start?: string;
  readonly timezone: string;
  readonly price: string;
  readonly tariff?: string;
  readonly das: number;
  readonly completeness: "set" | "sum";
  readonly release: "after-commit" | "upfront";
  readonly maxWh: number;
  readonly minMeters: number;
  readonly seed?: string;
  readonly fault: string[];
  readonly out: string;
  readonly force?: boolean;
  /** Whether any option says what the run is. */
  readonly isAsked?: boolean;
}

/** Options of every command: they say nothing of what a run is. */
const OTHERS = ["out", "force", "json", "engine", "ledger", "profile", "audit", "memory", "isAsked"];

/** Adds the options that say what a run is. */
export function addRunOptions(command: Command): Command {
  command.hook("preAction", (_, own) => {
    const names = Object.keys(own.opts()).filter((name) => !OTHERS.includes(name));
    own.setOptionValue(
      "isAsked",
      names.some((name) => own.getOptionValueSource(name) === "cli"),
    );
  });
  return command
    .option("--readings <file>", "CSV of meter readings (wide, undated or Low Carbon London form, .gz too)")
    .option(
      "--meters <n>",
      "households from a standard load profile, without --readings",
      whole(1, MAX_METERS),
      DEMO_METERS,
    )
    .option(
      "--regions <n>",
      "regions; household i is in region 1 + i mod n (default: 2, with a file 1)",
      whole(1, 65_535),
    )
    .option("--days <n>", "days of 24 hours (default: 1, with a file all of it)", whole(1, MAX_DAYS))
    .option("--periods <n>", "no more than so many periods, of what --days leaves", whole(1))
    .option("--from <date>", "first day, YYYY-MM-DD (default: the file's first period)")
    .option("--start <date>", "when the first row begins, for a file without dates")
    .option("--timezone <zone>", "IANA time zone of the file's times and of the bills", "UTC")
    .option(
      "--price <policy>",
      "flat:MICRO | tou:HH-HH=MICRO,... | linear:BASE,SLOPE[,MIN,MAX] | csv:FILE",
      "flat:250000",
    )
    .option("--tariff <file>", "JSON of what a bill adds: tiers, fixed charges, taxes (default: nothing, 1/100 units)")
    .option("--das <w>", "number of data aggregators", whole(1, 100), 4)
    .addOption(
      new Option("--completeness <mode>", "how a block's set is checked").choices(["set", "sum"]).default("set"),
    )
    .addOption(
      new Option("--release <mode>", "when masks are released")
        .choices(["after-commit", "upfront"])
        .default("after-commit"),
    )
    .option(
      "--max-wh <wh>",
      "a reading beyond this is excluded and missing",
      whole(1, 0xffff_ffff),
      paramsDefaults.maxWhPerPeriod,
    )
    .option(
      "--min-meters <n>",
      "fewest complete meters whose sum is released, 5 or more",
      whole(5, 5000),
      paramsDefaults.minReleaseMeters,
    )
    .option("--seed <text>", "makes every byte repeatable, keys included: never for real customers")
    .addOption(
      new Option("--fault <fault>", "down:DA@FROM[-TO] | kill-leader@K | omit:DA (repeatable)")
        .argParser((one, all: string[]) => [...all, one])
        .default([], "none"),
    )
    .addOption(outOption())
    .option("--force", "start anew if the folder holds another run");
}

async function readTable(options: RunOptions): Promise<ReadingsTable> {
  const { readings, timezone, start, from, days } = options;
  if (readings !== undefined) return readReadings(readings, { timezone, start, from, days });
  if (start !== undefined) {
    throw new VeilgridError("bad-option", "--start is for a file without dates", { blame: "caller" });
  }
  const day = checkOptions({ timezone, from, days }).from ?? DEMO_START;
  return profileHouseholds({
    count: options.meters,
    firstPeriod: periodAt(Math.ceil(day / HALF_HOUR_MS) * HALF_HOUR_MS, HALF_HOUR),
    periods: 48 * (days ?? 1),
    periodSeconds: HALF_HOUR,
    random: SeededRandom.of(options.seed ?? "households"),
    timezone,
  });
}

async function readTariff(path: string | undefined): Promise<unknown> {
  if (path === undefined) return null;
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (cause) {
    throw new VeilgridError("bad-tariff", `${path} is not a JSON file that can be read`, {
      facts: { file: path },
      blame: "caller",
      cause,
    });
  }
}

/** A run that was asked for, with its readings. */
export interface AskedRun {
  readonly record: RunRecord;
  readonly readings: ReadingsTable;
}

/**
 * The run that the options ask for, by default on the embedded ledger. Nothing is written.
 * @throws VeilgridError for any input that cannot be read, and for what no run can be.
 */
export async function askedRun(options: RunOptions, ledger: LedgerKind = "embedded"): Promise<AskedRun> {
  const table = await readTable(options);
  const readings = options.periods === undefined ? table : firstPeriods(table, options.periods);
  const { sha256, format, households, firstPeriod, periods, periodSeconds } = readings;
  const { price, timezone } = options;
  const policy = await parsePolicy(price, { periodSeconds, timezone });
  policy.covers(firstPeriod, periods);
  const first: Period = { month: firstPeriod.month, k: firstPeriod.k };
  const record: RunRecord = {
    version: 1,
    arguments: {
      regions: options.regions ?? (options.readings === undefined ? 2 : 1),
      das: options.das,
      price,
      completeness: options.completeness,
      release: options.release,
      faults: options.fault,
      maxWhPerPeriod: options.maxWh,
      minReleaseMeters: options.minMeters,
      timezone,
      seed: options.seed ?? null,
      tariff: await readTariff(options.tariff),
      ledger,
    },
    input: {
      sha256,
      format,
      households: [...households],
      first,
      periods,
      periodSeconds,
      prices: policy.sha256 ?? null,
    },
  };
  requirePossible(record);
  return { record, readings };
}
