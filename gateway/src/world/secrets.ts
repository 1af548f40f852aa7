import { randomBytes } from "node:crypto";
import { fromHex, schnorr, toHex, VeilgridError } from "@veilgrid/protocol";
import { newCustomerKey, type CustomerKey } from "../bill/encryption.js";
import type { Random } from "../ports/random.js";
import { SeededRandom } from "../random.js";
import { readJson, writeWhole } from "../store/files.js";
import type { DataFolder } from "./folder.js";

/** A BIP-340 key pair. */
export interface SigningKey {
  readonly secret: Uint8Array;
  /** x-only, 32 bytes. */
  readonly key: Uint8Array;
}

/** A meter's and its customer's secrets. */
export interface HomeKeys {
  /** Names the customer at this meter on the ledger, 16 bytes. */
  readonly bid: Uint8Array;
  /** K of the supply's first month, 32 bytes. */
  readonly monthKey: Uint8Array;
  readonly customer: CustomerKey;
  /** The age identity of the meter's device. */
  readonly device: CustomerKey;
}

/** Every key of a run. */
export interface RunKeys {
  readonly random: Random;
  readonly da: readonly SigningKey[];
  readonly cc: SigningKey;
  readonly kgcbp: SigningKey;
  readonly homes: readonly HomeKeys[];
}

/** A run with `--seed` is repeatable to the byte, and so are its keys: for tests and comparison, never for a utility. */
function masterOf(seed: string | null): Uint8Array {
  return seed === null ? randomBytes(32) : SeededRandom.of(seed).bytes(32, "master");
}

/** Records the master secret of a new run, before anything is derived from it. */
export async function keepNewMaster(folder: DataFolder, seed: string | null): Promise<void> {
  await writeWhole(folder.secrets, `${JSON.stringify({ master: toHex(masterOf(seed)) })}\n`, 0o600);
}

/** The master secret of a recorded run. @throws VeilgridError `damaged-folder`. */
export async function keptMaster(folder: DataFolder): Promise<Uint8Array> {
  const kept = (await readJson(folder.secrets)) as { master?: unknown } | null | undefined;
  if (typeof kept?.master === "string" && /^[0-9a-f]{64}$/.test(kept.master)) return fromHex(kept.master);
  throw new VeilgridError("damaged-folder", "secrets.json is not what a run wrote", { blame: "operator" });
}

function signingKey(random: Random, ...labels: (string | number)[]): SigningKey {
  const secret = random.bytes(32, "signing", ...labels);
  return { secret, key: schnorr.publicKey(secret) };
}

/** The secrets of one household, by its index in the input. */
export async function homeKeys(random: Random, household: number): Promise<HomeKeys> {
  return {
    bid: random.bytes(16, "bid", household),
    monthKey: random.bytes(32, "month-key", household),
    customer: await newCustomerKey((count, draw) => random.bytes(count, "customer", household, draw)),
    device: await newCustomerKey((count, draw) => random.bytes(count, "device", household, draw)),
  };
}

/** The age identity of a device that came in the course of the run, by the name that the operator gave it. */
export function deviceKey(random: Random, meter: string, name: string): Promise<CustomerKey> {
  return newCustomerKey((count, draw) => random.bytes(count, "new-device", meter, name, draw));
}

/** A customer who came in the course of the run, by the name that the operator gave it. */
export async function newcomer(
  random: Random,
  meter: string,
  name: string,
): Promise<{ readonly bid: Uint8Array; readonly key: CustomerKey }> {
  const key = await newCustomerKey((count, draw) => random.bytes(count, "new-customer", meter, name, draw));
  return { bid: random.bytes(16, "new-bid", meter, name), key };
}

/** All keys of a run, a function of its master secret. */
export async function runKeys(master: Uint8Array, das: number, households: number): Promise<RunKeys> {
  const random = new SeededRandom(master);
  const homes: HomeKeys[] = [];
  for (let i = 0; i < households; i += 1) homes.push(await homeKeys(random, i));
  return {
    random,
    da: Array.from({ length: das }, (_, index) => signingKey(random, "da", index)),
    cc: signingKey(random, "cc"),
    kgcbp: signingKey(random, "kgcbp"),
    homes,
  };
}
