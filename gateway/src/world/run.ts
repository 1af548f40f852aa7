import { VeilgridError } from "@veilgrid/protocol";
import { copyFile } from "node:fs/promises";
import { parsePolicy } from "../input/prices.js";
import type { PricePolicy } from "../input/policy.js";
import type { ReadingsTable } from "../input/table.js";
import type { Log } from "../ports/log.js";
import { readBytes, readWhole, writeWhole } from "../store/files.js";
import { runParamsBytes } from "./consortium.js";
import type { DataFolder } from "./folder.js";
import { faultsOf, requireSameRun, tariffOf, type RunRecord } from "./plan.js";
import { keepReadings, keptReadings } from "./readings.js";
import { keptRecord, requireRecord } from "./record.js";
import { keepNewMaster, keptMaster, runKeys, type RunKeys } from "./secrets.js";
import type { World } from "./world.js";

/** How many verified signatures a run remembers: several periods of the largest demo. */
const REMEMBERED = 50_000;

/** How a run is opened. */
export interface OpenOptions {
  /** Whether the roles share a memory of verified signatures; without it everything is verified each time. */
  readonly remember?: boolean;
  readonly log?: Log;
}

type RunParts = Pick<Run, "folder" | "record" | "keys" | "readings" | "policy">;

/** A run in its data folder: its record, its keys and its input. */
export class Run {
  readonly folder: DataFolder;
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly readings: ReadingsTable;
  readonly policy: PricePolicy;
  /** The connection profile that was asked for, where the run is on Fabric. */
  readonly #profile: string | undefined;

  private constructor(parts: RunParts, profile: string | undefined) {
    this.#profile = profile;
    this.folder = parts.folder;
    this.record = parts.record;
    this.keys = parts.keys;
    this.readings = parts.readings;
    this.policy = parts.policy;
  }

  /**
   * Begins a run, or takes up the same one again: arguments, input and keys are recorded before their first use.
   * @throws VeilgridError `other-arguments`, `bad-fault`, `bad-tariff`, `bad-policy`, `price-missing`, `unusable-folder`,
   * `damaged-folder`.
   */
  static async begin(folder: DataFolder, record: RunRecord, readings: ReadingsTable, profile?: string): Promise<Run> {
    faultsOf(record);
    tariffOf(record);
    const kept = await keptRecord(folder);
    if (kept !== undefined) requireSameRun(kept, record);
    else await keepNew(folder, record, readings);
    const policy = await policyOf(folder, kept ?? record);
    return Run.#open({ folder, record: kept ?? record, readings, policy }, profile);
  }

  /**
   * Takes up the run that a folder holds.
   * @param profile the connection profile of a run on Fabric, where it is another than the folder's.
   * @throws VeilgridError `no-run`, `damaged-folder`.
   */
  static async resume(folder: DataFolder, profile?: string): Promise<Run> {
    const record = await requireRecord(folder);
    const [readings, policy] = [await keptReadings(folder, record.input), await policyOf(folder, record)];
    return Run.#open({ folder, record, readings, policy }, profile);
  }

  static async #open(parts: Omit<RunParts, "keys">, profile: string | undefined): Promise<Run> {
    const { folder, record } = parts;
    const keys = await runKeys(await keptMaster(folder), record.arguments.das, record.input.households.length);
    const run = new Run({ ...parts, keys }, profile);
    await run.#keepIdentities();
    if (record.arguments.ledger === "fabric") await run.#keepParams();
    return run;
  }

  /** The parameter set that has to be deployed before the run can go on. */
  async #keepParams(): Promise<void> {
    const bytes = runParamsBytes(this.record, this.keys);
    if ((await readBytes(this.folder.params))?.equals(bytes) !== true) await writeWhole(this.folder.params, bytes);
  }

  async #keepIdentities(): Promise<void> {
    for (const [i, { customer }] of this.keys.homes.entries()) {
      const path = this.folder.identity(this.record.input.households[i] as string);
      const text = `# public key: ${customer.recipient}\n${customer.identity}\n`;
      if ((await readWhole(path)) !== text) await writeWhole(path, text, 0o600);
    }
  }

  /** Opens the world in which the run goes on. */
  async world({ remember = true, log }: OpenOptions = {}): Promise<World> {
    const { record, keys, readings, policy } = this;
    // Loaded when it is needed: who only asks for help does not wait for contracts and their runtime.
    const { World } = await import("./world.js");
    return World.open(this.folder, {
      record,
      keys,
      readings,
      policy,
      remembered: remember ? REMEMBERED : 0,
      ...(this.#profile === undefined ? {} : { profile: this.#profile }),
      ...(log === undefined ? {} : { log }),
    });
  }
}

/**
 * The price policy, from the folder's copy where it is a file.
 * @throws VeilgridError `damaged-folder` unless the copy is the file that the run began with.
 */
async function policyOf(folder: DataFolder, { arguments: asked, input }: RunRecord): Promise<PricePolicy> {
  const { price, timezone } = asked;
  const text = input.prices === null ? price : `csv:${folder.prices}`;
  const policy = await parsePolicy(text, { periodSeconds: input.periodSeconds, timezone });
  if ((policy.sha256 ?? null) === input.prices) return policy;
  throw new VeilgridError("damaged-folder", "prices.csv is not the file of prices that the run began with", {
    facts: { folder: folder.path },
    blame: "operator",
  });
}

/** @throws VeilgridError `bad-policy`, `price-missing` and what reading a file of prices throws. */
async function requirePrices({ arguments: { price, timezone }, input }: RunRecord): Promise<void> {
  const policy = await parsePolicy(price, { periodSeconds: input.periodSeconds, timezone });
  policy.covers(input.first, input.periods);
}

/** run.json comes last: where it stands, the rest is there. @throws VeilgridError `damaged-folder`. */
async function keepNew(folder: DataFolder, record: RunRecord, readings: ReadingsTable): Promise<void> {
  if ((await folder.state()) === "damaged") {
    throw new VeilgridError("damaged-folder", `${folder.path} holds a run's state, but run.json is gone`, {
      facts: { folder: folder.path },
      blame: "operator",
    });
  }
  await requirePrices(record);
  await folder.make();
  await keepNewMaster(folder, record.arguments.seed);
  await keepReadings(folder, readings);
  if (record.input.prices !== null) await copyFile(priceFileOf(record), folder.prices);
  await writeWhole(folder.run, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** FILE of `csv:FILE`. */
function priceFileOf({ arguments: { price } }: RunRecord): string {
  return price.slice(price.indexOf(":") + 1).trim();
}
