import { DEFAULT_TARIFF, VeilgridError, parseTariff, type Period, type Tariff } from "@veilgrid/protocol";
import { z } from "zod";
import { parseFaults, type Fault } from "../input/faults.js";

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
export function tariffOf({ arguments: { tariff } }: RunRecord): Tariff {
  return tariff === null ? DEFAULT_TARIFF : parseTariff(tariff);
}

/** Region of the household with index i. */
export function regionOf(household: number, regions: number): number {
  return 1 + (household % regions);
}

export function firstOf({ input }: RunRecord): Period {
  return input.first;
}

function flatten(record: RunRecord): Map<string, string> {
  const { households, ...input } = record.input;
  const all = { ...record.arguments, ...input, households: households.length };
  return new Map(Object.entries(all).map(([name, value]) => [name, JSON.stringify(value)]));
}

/**
 * Refuses a run that asks for something else than the folder's.
 * @throws VeilgridError `other-arguments`, which names each difference.
 */
export function requireSameRun(kept: RunRecord, asked: RunRecord): void {
  const before = flatten(kept);
  const differences = [...flatten(asked)]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => `${name} is ${before.get(name) ?? "absent"} there and ${value} here`);
  if (differences.length === 0) return;
  throw new VeilgridError(
    "other-arguments",
    `the folder holds another run (${differences.join("; ")}); --force starts anew`,
    { facts: { differences: differences.join("; ") }, blame: "caller" },
  );
}
