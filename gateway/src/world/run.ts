import { parsePolicy } from "../input/prices.js";
import type { PricePolicy } from "../input/policy.js";
import type { ReadingsTable } from "../input/table.js";
import type { Log } from "../ports/log.js";
import { VeilgridError } from "@veilgrid/protocol";
import type { DataFolder } from "./folder.js";
import { readJson, writeWhole } from "./folder.js";
import { faultsOf, requireSameRun, runSchema, tariffOf, type RunRecord } from "./plan.js";
import { keepReadings, keptReadings } from "./readings.js";
import { masterSecret, runKeys, type RunKeys } from "./secrets.js";
import { World } from "./world.js";

/** How many verified signatures a run remembers: several periods of the largest demo. */
const REMEMBERED = 50_000;

/** How a run is opened. */
export interface OpenOptions {
  /** Whether the roles share a memory of verified signatures; without it everything is verified each time. */
  readonly remember?: boolean;
  readonly log?: Log;
}

/** A run in its data folder: its record, its keys and its input. */
export class Run {
  readonly folder: DataFolder;
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly readings: ReadingsTable;
  readonly policy: PricePolicy;

  private constructor(parts: Pick<Run, "folder" | "record" | "keys" | "readings" | "policy">) {
    this.folder = parts.folder;
    this.record = parts.record;
    this.keys = parts.keys;
    this.readings = parts.readings;
    this.policy = parts.policy;
  }

  /**
   * Begins a run, or takes up the same one again: arguments, input and keys are recorded before their first use.
   * @throws VeilgridError `other-arguments`, `bad-fault`, `bad-tariff`, `bad-policy`, `price-missing`, `damaged-folder`.
   */
  static async begin(folder: DataFolder, record: RunRecord, readings: ReadingsTable): Promise<Run> {
    faultsOf(record);
    tariffOf(record);
    const policy = await policyOf(record);
    const kept = await recordOf(folder);
    if (kept !== undefined) requireSameRun(kept, record);
    else await keepNew(folder, record, readings);
    return Run.#open(folder, kept ?? record, readings, policy);
  }

  /** Takes up the run that a folder holds. @throws VeilgridError `no-run`, `damaged-folder`. */
  static async resume(folder: DataFolder): Promise<Run> {
    const record = await recordOf(folder);
    if (record === undefined) {
      throw new VeilgridError("no-run", `${folder.path} holds no run; veilgrid setup makes one`, {
        facts: { folder: folder.path },
        blame: "caller",
      });
    }
    return Run.#open(folder, record, await keptReadings(folder, record.input), await policyOf(record));
  }

  static async #open(
    folder: DataFolder,
    record: RunRecord,
    readings: ReadingsTable,
    policy: PricePolicy,
  ): Promise<Run> {
    const { das } = record.arguments;
    const { households } = record.input;
    const keys = await runKeys(await masterSecret(folder, record.arguments.seed), das, households.length);
    const run = new Run({ folder, record, keys, readings, policy });
    await run.#keepIdentities();
    return run;
  }

  async #keepIdentities(): Promise<void> {
    for (const [i, { customer }] of this.keys.homes.entries()) {
      const path = this.folder.identity(this.record.input.households[i] as string);
      await writeWhole(path, `# public key: ${customer.recipient}\n${customer.identity}\n`, 0o600);
    }
  }

  /** Opens the world in which the run goes on. */
  async world({ remember = true, log }: OpenOptions = {}): Promise<World> {
    const { record, keys, readings, policy } = this;
    return World.open(this.folder, {
      record,
      keys,
      readings,
      policy,
      remembered: remember ? REMEMBERED : 0,
      ...(log === undefined ? {} : { log }),
    });
  }
}

async function recordOf(folder: DataFolder): Promise<RunRecord | undefined> {
  const json = await readJson(folder.run);
  if (json === undefined) return undefined;
  const parsed = runSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new VeilgridError("damaged-folder", "run.json is not what a run wrote", {
    blame: "operator",
    cause: parsed.error,
  });
}

/** The price policy; a file of prices must be the one that the run began with and cover every period. */
async function policyOf({ arguments: { price, timezone }, input }: RunRecord): Promise<PricePolicy> {
  const policy = await parsePolicy(price, { periodSeconds: input.periodSeconds, timezone });
  if ((policy.sha256 ?? null) !== input.prices) {
    throw new VeilgridError("other-arguments", "the file of prices is not the one that the run began with", {
      facts: { prices: price },
      blame: "caller",
    });
  }
  policy.covers(input.first, input.periods);
  return policy;
}

/** run.json comes last: where it stands, the rest is there. */
async function keepNew(folder: DataFolder, record: RunRecord, readings: ReadingsTable): Promise<void> {
  await folder.make();
  await masterSecret(folder, record.arguments.seed);
  await keepReadings(folder, readings);
  await writeWhole(folder.run, `${JSON.stringify(record, undefined, 2)}\n`);
}
