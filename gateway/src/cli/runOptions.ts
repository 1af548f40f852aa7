import { paramsDefaults, periodAt, VeilgridError, type Period } from "@veilgrid/protocol";
import { InvalidArgumentError, Option, type Command } from "commander";
import { readFile } from "node:fs/promises";
import { parsePolicy } from "../input/prices.js";
import { profileHouseholds } from "../input/profile.js";
import { readReadings } from "../input/readings.js";
import type { ReadingsTable } from "../input/table.js";
import { SeededRandom } from "../random.js";
import type { RunRecord } from "../world/plan.js";

/** The first day of a demo without a file: a Monday. */
const DEMO_START = Date.UTC(2026, 2, 2);
const DEMO_METERS = 40;
const HALF_HOUR = 1800;

/** The options that say what a run is. */
export interface RunOptions {
  readonly readings?: string;
  readonly meters: number;
  readonly regions?: number;
  readonly days?: number;
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
}

/** A whole number of at least `low`. */
export function whole(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < low) {
      throw new InvalidArgumentError(`It must be a whole number, ${low} or more.`);
    }
    return value;
  };
}

/** The folder that a command works on. */
export function outOption(): Option {
  return new Option("--out <dir>", "data folder, which keeps all state").default("veilgrid-demo");
}

/** Adds the options that say what a run is. */
export function addRunOptions(command: Command): Command {
  return command
    .option("--readings <file>", "CSV of meter readings (wide, undated or Low Carbon London form, .gz too)")
    .option("--meters <n>", "households from a standard load profile, without --readings", whole(1), DEMO_METERS)
    .option("--regions <n>", "regions; household i is in region 1 + i mod n (default: 2, with a file 1)", whole(1))
    .option("--days <n>", "days of 24 hours (default: 1, with a file all of it)", whole(1))
    .option("--from <date>", "first day, YYYY-MM-DD (default: the file's first period)")
    .option("--start <date>", "when the first row begins, for a file without dates")
    .option("--timezone <zone>", "IANA time zone of the file's times and of the bills", "UTC")
    .option(
      "--price <policy>",
      "flat:MICRO | tou:HH-HH=MICRO,... | linear:BASE,SLOPE[,MIN,MAX] | csv:FILE",
      "flat:250000",
    )
    .option("--tariff <file>", "JSON of what a bill adds: tiers, fixed charges, taxes (default: nothing, 1/100 units)")
    .option("--das <w>", "number of data aggregators", whole(1), 4)
    .addOption(
      new Option("--completeness <mode>", "how a block's set is checked").choices(["set", "sum"]).default("set"),
    )
    .addOption(
      new Option("--release <mode>", "when masks are released")
        .choices(["after-commit", "upfront"])
        .default("after-commit"),
    )
    .option("--max-wh <wh>", "a reading beyond this is excluded and missing", whole(1), paramsDefaults.maxWhPerPeriod)
    .option(
      "--min-meters <n>",
      "fewest complete meters whose sum is released, 5 or more",
      whole(5),
      paramsDefaults.minReleaseMeters,
    )
    .option("--seed <text>", "makes every byte repeatable, keys included: never for real customers")
    .option(
      "--fault <fault>",
      "down:DA@FROM[-TO] | kill-leader@K | omit:DA (repeatable)",
      (one, all: string[]) => [...all, one],
      [],
    )
    .addOption(outOption());
}

async function readTable(options: RunOptions): Promise<ReadingsTable> {
  const { readings, timezone, start, from, days } = options;
  if (readings !== undefined) return readReadings(readings, { timezone, start, from, days });
  if (start !== undefined) {
    throw new VeilgridError("bad-option", "--start is for a file without dates", { blame: "caller" });
  }
  const day = from === undefined ? DEMO_START : Date.parse(`${from}T00:00Z`);
  if (Number.isNaN(day)) {
    throw new VeilgridError("bad-option", `--from ${from ?? ""}: it is not a date (YYYY-MM-DD)`, { blame: "caller" });
  }
  return profileHouseholds({
    count: options.meters,
    firstPeriod: periodAt(day, HALF_HOUR),
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

/** The run that the options ask for, with its readings. @throws VeilgridError for any input that cannot be read. */
export async function askedRun(options: RunOptions): Promise<{ record: RunRecord; readings: ReadingsTable }> {
  const readings = await readTable(options);
  const { sha256, format, households, firstPeriod, periods, periodSeconds } = readings;
  const { price, timezone } = options;
  const policy = await parsePolicy(price, { periodSeconds, timezone });
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
  return { record, readings };
}
