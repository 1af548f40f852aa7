import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  decodeParamsLeaf,
  encodeParamsLeaf,
  isVeilgridError,
  nextParams,
  paramsCodec,
  quorum,
  schnorr,
  toHex,
  unprovenKeys,
  type Params,
} from "@veilgrid/protocol";
import { parse } from "yaml";
import type { Ask } from "../process/door-client.js";
import { readConfiguration } from "../process/configuration.js";
import { readSecret } from "../process/secret.js";
import type { ServiceConfiguration } from "../service/configuration.js";
import type * as ParamsRequests from "../service/params-requests.js";
import { readWhole, syncFolder, writeWhole } from "../store/files.js";
import { unfit } from "./ledger-options.js";
import { line, printJson } from "./output.js";
import { printState, readProposal, type ParamsState } from "./params-text.js";
import { serviceChanges, type ChangeOptions } from "./params-changes.js";

// Versions of the parameter set among running services: every organisation asks its own service alone, and the proposal is
// a file that goes from one to the next.

/** A running service of any role, as its configuration tells. */
interface Running {
  readonly role: string;
  readonly msp: string;
  readonly ask: Ask;
}

/** @throws VeilgridError `no-configuration`, `bad-configuration`. */
async function running(file: string): Promise<Running> {
  // Loaded when they are needed: commands on a folder do without them.
  const [{ daShape, ccShape, kgcbpShape }, { askDoor }] = await Promise.all([
    import("../service/configuration.js"),
    import("../process/door-client.js"),
  ]);
  const role = await roleOf(file);
  const shapes = { cc: ccShape, kgcbp: kgcbpShape } as const;
  const shape = role === "cc" || role === "kgcbp" ? shapes[role] : daShape;
  const { data, msp }: ServiceConfiguration = await readConfiguration<ServiceConfiguration>(file, shape);
  return { role, msp, ask: (request, given) => askDoor(data, request, given) };
}

/** What the file calls its role; who calls it nothing that there is hears so when it is read as an aggregator's. */
async function roleOf(file: string): Promise<string> {
  try {
    const { role } = (parse((await readWhole(file)) ?? "") ?? {}) as { readonly role?: unknown };
    return typeof role === "string" ? role : "da";
  } catch (error) {
    if (isVeilgridError(error)) throw error;
    return "da";
  }
}

async function requests(): Promise<typeof ParamsRequests> {
  return import("../service/params-requests.js");
}

/** The version in force, and what this aggregator's operator approved. */
export async function showServed(config: string, json: boolean): Promise<void> {
  const service = await running(config);
  print(stateOf(service, await (await requests()).askState(service.ask)), json);
}

function print(state: ParamsState, json: boolean): void {
  if (json) printJson(state);
  else printState(state);
}

function stateOf({ role, msp }: Running, { params: bytes, approved }: ParamsRequests.ParamsInForce): ParamsState {
  const { version, channel, da, cc, kgcbp, ...values } = paramsCodec.decode(bytes);
  const members = [
    ...da.map((one) => ({ role: roleName(one.msp), ...one })),
    { role: "cc", ...cc },
    { role: "kgcbp", ...kgcbp },
  ];
  const pending = approved === undefined ? 0 : decodeParamsLeaf(approved).params.version;
  const isMember = da.some((member) => member.msp === msp);
  const own = { da: msp, state: isMember ? "member" : "no member", approved: pending > version ? pending : null };
  return {
    version,
    quorum: quorum(da.length),
    values: { channel, ...values },
    members: members.map(({ role: of, msp: name, key }) => ({ role: of, msp: name, key: toHex(key) })),
    aggregators: role === "da" ? [own] : [],
  };
}

function roleName(msp: string): string {
  return `da/${msp}`;
}

/** Who has a key in a version, as --rotate calls it. */
function ownerOf({ da, cc, kgcbp }: Params, key: Uint8Array): string {
  const hex = toHex(key);
  const owner = da.find((member) => toHex(member.key) === hex);
  if (owner !== undefined) return roleName(owner.msp);
  return [cc, kgcbp].map((member) => toHex(member.key)).indexOf(hex) === 0 ? "cc" : "kgcbp";
}

/** Writes the next version, with the proofs of possession that this service can give. */
export async function proposeServed(
  file: string,
  config: string,
  options: ChangeOptions,
  json: boolean,
): Promise<void> {
  const changes = serviceChanges(options);
  const { ask } = await running(config);
  const { askState, askProofs } = await requests();
  const state = await askState(ask);
  const next = nextParams(paramsCodec.decode(state.params), changes);
  const leaf = await askProofs(ask, encodeParamsLeaf(paramsCodec.encode(next), []));
  await keep(file, leaf, state, json);
}

/** Adds the proofs of possession that this service can give. */
export async function proveServed(file: string, config: string, json: boolean): Promise<void> {
  const before = await readProposal(file);
  const { ask } = await running(config);
  const { askState, askProofs } = await requests();
  const state = await askState(ask);
  await keep(file, await askProofs(ask, before), state, json);
}

async function keep(
  file: string,
  leaf: Uint8Array,
  { consortium, params }: ParamsRequests.ParamsInForce,
  json: boolean,
): Promise<void> {
  const { params: next } = decodeParamsLeaf(leaf);
  const due = unprovenKeys(consortium, paramsCodec.decode(params), leaf).map((key) => ownerOf(next, key));
  await writeWhole(file, `${toHex(leaf)}\n`);
  const { version, da } = next;
  if (json) {
    printJson({ file, version, aggregators: da.map(({ msp }) => msp), unproven: due });
    return;
  }
  const still =
    due.length === 0
      ? "to be approved by the aggregators' operators (veilgrid params approve)"
      : `proofs of possession are due from ${due.join(", ")} (veilgrid params prove)`;
  line(`${file}: version ${version}, ${still}`);
}

/** Gives this aggregator its operator's word for a version. */
export async function approveServed(file: string, config: string, json: boolean): Promise<void> {
  const leaf = await readProposal(file);
  const service = await running(config);
  if (service.role !== "da") throw unfit(`${config}: only aggregators' operators approve`);
  print(stateOf(service, await (await requests()).askApproval(service.ask, leaf)), json);
}

/**
 * Makes a signing key in a file that its owner alone may open, or reads the one that is there; prints what others are told.
 * @throws VeilgridError `bad-secret-file`.
 */
export async function keyIn(file: string, json: boolean): Promise<void> {
  const isNew = await makeKey(file);
  const key = toHex(schnorr.publicKey(await readSecret(file)));
  if (json) printJson({ file, key, new: isNew });
  else line(key);
}

async function makeKey(file: string): Promise<boolean> {
  const handle = await open(file, "wx", 0o600).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    await handle.write(`${toHex(newSecret())}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(resolve(file)));
  return true;
}

/** One in 2^128 draws is no key of BIP-340. */
function newSecret(): Uint8Array {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    try {
      schnorr.publicKey(secret);
      return secret;
    } catch (error) {
      if (!isVeilgridError(error, "bad-secret")) throw error;
    }
  }
}
