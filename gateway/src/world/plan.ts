import {
  DEFAULT_TARIFF,
  VeilgridError,
  addPeriods,
  paramsDefaults,
  parseTariff,
  periodStart,
  type Period,
  type Tariff,
} from "@veilgrid/protocol";
import { z } from "zod";
import { parseFaults, type Fault } from "../input/faults.js";

/** Where a run's ledger is: in its own folder, or on the peers of a Fabric channel. */
export const ledgerKinds = ["embedded", "fabric"] as const;

export type LedgerKind = (typeof ledgerKinds)[number];

/**
 * What a run was asked for: everything that its result depends on besides its input and its seed. The same arguments
 * again resume it, others are refused.
 */
export const argumentsSchema = z.strictObject({
  /** Regions; household i is in region 1 + i mod N. */
  regions: z.int().min(1).max(65_535),
  /** Number of data aggregators, W. */
  das: z.int().min(1).max(100),
  price: z.string(),
  completeness: z.enum(["set", "sum"]),
  release: z.enum(["after-commit", "upfront"]),
  faults: z.array(z.string()),
  maxWhPerPeriod: z.int().min(1).max(0xffff_ffff),
  minReleaseMeters: z.int().min(5).max(5000),
  timezone: z.string(),
  /** The seed as given; null for a random one. */
  seed: z.string().nullable(),
  tariff: z.unknown().nullable(),
  /** Runs that were recorded before there was a choice are on the embedded one. */
  ledger: z.enum(ledgerKinds).default("embedded"),
});

export type RunArguments = z.infer<typeof argumentsSchema>;

/** The input that a run works on. */
export const inputSchema = z.strictObject({
  /** SHA-256 in hex of the file, as it lies on the disk. */
  sha256: z.string(),
  /** "profile" where the households were made from a standard load profile. */
  format: z.string(),
  households: z.array(z.string()).min(1),
  first: z.strictObject({ month: z.int(), k: z.int() }),
  periods: z.int().min(1),
  periodSeconds: z.union([z.literal(900), z.literal(1800)]),
  /** SHA-256 in hex of a file of prices, if the policy has one. */
  prices: z.string().nullable(),
});

export type RunInput = z.infer<typeof inputSchema>;

export const runSchema = z.strictObject({ version: z.literal(1), arguments: argumentsSchema, input: inputSchema });

/** What `run.json` holds. */
export type RunRecord = z.infer<typeof runSchema>;

/** @throws VeilgridError `bad-fault`, `fault-da`, `fault-period`. */
export function faultsOf({ arguments: { faults, das }, input: { periods } }: RunRecord): readonly Fault[] {
  return parseFaults(faults, { das, periods });
}

/** @throws VeilgridError `bad-tariff`. */
export function tariffOf({ arguments: { tariff }, input: { periodSeconds } }: RunRecord): Tariff {
  if (tariff === null) return DEFAULT_TARIFF;
  const parsed = parseTariff(tariff);
  const perDay = 86_400 / periodSeconds;
  if (parsed.profile === undefined || parsed.profile.length === perDay) return parsed;
  throw new VeilgridError("bad-tariff", `bad tariff: profile: a day of the readings has ${perDay} periods`, {
    facts: { path: "profile", perDay },
    blame: "caller",
  });
}

/** Region of the household with index i. */
export function regionOf(household: number, regions: number): number {
  return 1 + (household % regions);
}

/** The billing months that a run's periods lie in. */
export function monthsOf({ input: { first, periods, periodSeconds } }: RunRecord): number[] {
  const last = addPeriods(first, periods - 1, periodSeconds);
  return Array.from({ length: last.month - first.month + 1 }, (_, i) => first.month + i);
}

/** What each part of a record is to who asked for it. */
const NAMES: Readonly<Record<string, string>> = {
  regions: "--regions",
  das: "--das",
  price: "--price",
  prices: "the file of prices (SHA-256)",
  completeness: "--completeness",
  release: "--release",
  faults: "--fault",
  maxWhPerPeriod: "--max-wh",
  minReleaseMeters: "--min-meters",
  timezone: "--timezone",
  seed: "--seed",
  tariff: "--tariff",
  ledger: "--ledger",
  sha256: "the readings (SHA-256)",
  format: "the readings' form",
  households: "the number of meters",
  first: "the first period",
  periods: "the number of periods",
  periodSeconds: "the periods' seconds",
};

function nameOf(part: string | undefined): string {
  return NAMES[part ?? ""] ?? String(part);
}

/**
 * Refuses what no run can be.
 * @throws VeilgridError `bad-option`, `bad-fault`, `fault-da`, `fault-period`, `bad-tariff`.
 */
export function requirePossible(record: RunRecord): void {
  const [issue] = runSchema.safeParse(record).error?.issues ?? [];
  const perRegion = Math.ceil(record.input.households.length / record.arguments.regions);
  const { maxRegionMeters } = paramsDefaults;
  if (issue !== undefined) throw badOption(nameOf(issue.path.map(String)[1]), issue.message);
  if (record.arguments.regions > record.input.households.length) {
    throw badOption("--regions", `there are only ${record.input.households.length} meters`);
  }
  if (perRegion > maxRegionMeters) throw badOption("--regions", `a region has at most ${maxRegionMeters} meters`);
  faultsOf(record);
  tariffOf(record);
}

function badOption(option: string, reason: string): VeilgridError {
  return new VeilgridError("bad-option", `${option}: ${reason}`, { facts: { option, reason }, blame: "caller" });
}

function flatten({ arguments: asked, input: { households, first, ...input } }: RunRecord): Map<string, string> {
  // The folder keeps a copy of the file of prices, so that its SHA-256 is what counts, and not where it lay.
  const price = input.prices === null ? asked.price : "csv";
  const all = { ...asked, ...input, price, households: households.length, first: firstOf(first, input.periodSeconds) };
  return new Map(Object.entries(all).map(([name, value]) => [name, JSON.stringify(value)]));
}

function firstOf(first: Period, periodSeconds: number): string {
  return new Date(periodStart(first, periodSeconds)).toISOString();
}

/** One difference in words. All keys follow from a seed, so it is not repeated. */
function difference(name: string, there: string, here: string): string {
  const what = nameOf(name);
  return name === "seed" ? `${what} is another there` : `${what} is ${there} there and ${here} here`;
}

/**
 * Refuses a run that asks for something else than the folder's.
 * @throws VeilgridError `other-arguments`, which names each difference.
 */
export function requireSameRun(kept: RunRecord, asked: RunRecord): void {
  const before = flatten(kept);
  const differences = [...flatten(asked)]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => difference(name, before.get(name) ?? "absent", value))
    .join("; ");
  if (differences === "") return;
  throw new VeilgridError("other-arguments", `the folder holds another run (${differences}); --force starts anew`, {
    facts: { differences },
    blame: "caller",
  });
}
