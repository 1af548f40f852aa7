import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBlock } from "./channel.js";
import { commandFailed, must, run } from "./command.js";
import { CHANNEL, type Aggregator, type Organisation } from "./consortium.js";
import { writeWhole } from "./folder.js";
import { ordererAdminMsp } from "./identities.js";
import { throughLeader } from "./lifecycle.js";
import { ordererName } from "./orderers.js";
import { peerCommand } from "./peers.js";
import type { Say } from "./say.js";
import type { Site } from "./site.js";
import { waitFor } from "./waiting.js";

/** Milliseconds until an accepted update is in a block. A change of leader takes 11 s and more. */
const ORDERED = 30_000;
/** Times that an update is sent which no block shows in that time. */
const ATTEMPTS = 4;

/** The part of a channel's configuration (common.Config, as configtxlator writes it) that membership changes. */
interface Group {
  groups: Record<string, unknown>;
  values: Record<string, unknown>;
  policies: Record<string, unknown>;
}

interface Config {
  readonly channel_group: { readonly groups: { readonly Application: Group; readonly Orderer: Group } };
}

async function translate(site: Site, args: readonly string[]): Promise<void> {
  await must(`configtxlator ${args[0] as string}`, site.command("configtxlator"), args);
}

/** The configuration in a block. */
async function configIn(site: Site, block: string): Promise<Config> {
  const json = `${block}.json`;
  await translate(site, ["proto_decode", "--type", "common.Block", "--input", block, "--output", json]);
  const decoded = JSON.parse(readFileSync(json, "utf8")) as {
    readonly data: { readonly data: readonly { readonly payload: { readonly data: { readonly config: Config } } }[] };
  };
  const [first] = decoded.data.data;
  if (first === undefined) throw new RangeError(`${block} holds no configuration`);
  return first.payload.data.config;
}

async function writeConfig(site: Site, config: Config, path: string): Promise<void> {
  writeFileSync(`${path}.json`, JSON.stringify(config));
  await translate(site, ["proto_encode", "--type", "common.Config", "--input", `${path}.json`, "--output", path]);
}

/** Organisations that stay are left as they are; newcomers come as they are wanted. */
function organisationsOf(current: Group, wanted: Group): Record<string, unknown> {
  const entries = Object.entries(wanted.groups).map(([msp, own]) => [msp, current.groups[msp] ?? own] as const);
  return Object.fromEntries(entries);
}

/**
 * The present configuration with other members: organisations, consenters, and the three policies that count them. All else
 * stays as the network began with it, whatever this version would begin with.
 */
export function withMembers(current: Config, wanted: Config): Config {
  const next = structuredClone(current);
  const { Application: application, Orderer: orderer } = next.channel_group.groups;
  const { Application: members, Orderer: consenters } = wanted.channel_group.groups;
  application.groups = organisationsOf(application, members);
  orderer.groups = organisationsOf(orderer, consenters);
  orderer.values.Orderers = consenters.values.Orderers;
  orderer.policies.BlockValidation = consenters.policies.BlockValidation;
  for (const name of ["LifecycleEndorsement", "Endorsement"]) application.policies[name] = members.policies[name];
  return next;
}

async function fetchConfigBlock(site: Site, asked: Organisation, file: string): Promise<void> {
  const said = await peerCommand(site, asked, [
    "channel",
    "fetch",
    "config",
    file,
    "-c",
    CHANNEL,
    ...(await throughLeader(site)),
  ]);
  if (!said.ok) throw commandFailed("fetching the channel's configuration", said);
}

/** Files of one change of the configuration. */
function filesIn(
  folder: string,
): Readonly<Record<"block" | "wanted" | "current" | "next" | "update" | "envelope", string>> {
  const at = (name: string): string => join(folder, name);
  return {
    block: at("current.block"),
    wanted: at("wanted.block"),
    current: at("current.pb"),
    next: at("next.pb"),
    update: at("update.pb"),
    envelope: at("envelope.pb"),
  };
}

/** Computes what is to be changed for a channel of some aggregators. @returns false where it is as it shall be. */
async function computeUpdate(site: Site, das: readonly Aggregator[], by: readonly Aggregator[]): Promise<boolean> {
  const files = filesIn(site.folder.update);
  await fetchConfigBlock(site, by[0] as Aggregator, files.block);
  await makeBlock(site, das, site.folder.update, files.wanted);
  const current = await configIn(site, files.block);
  await writeConfig(site, current, files.current);
  await writeConfig(site, withMembers(current, await configIn(site, files.wanted)), files.next);
  const said = await run(site.command("configtxlator"), [
    "compute_update",
    "--channel_id",
    CHANNEL,
    "--original",
    files.current,
    "--updated",
    files.next,
    "--output",
    files.update,
  ]);
  if (said.ok) return true;
  if (`${said.stdout}${said.stderr}`.includes("no differences detected")) return false;
  throw commandFailed("configtxlator compute_update", said);
}

/** Makes the transaction of an update, and has the aggregators' administrators sign it, those of their orderers too. */
async function sign(site: Site, by: readonly Aggregator[]): Promise<void> {
  const { update, envelope } = filesIn(site.folder.update);
  const json = `${update}.json`;
  await translate(site, ["proto_decode", "--type", "common.ConfigUpdate", "--input", update, "--output", json]);
  const header = { channel_header: { channel_id: CHANNEL, type: 2 } };
  const data = { config_update: JSON.parse(readFileSync(json, "utf8")) as unknown };
  writeFileSync(`${envelope}.json`, JSON.stringify({ payload: { header, data } }));
  const types = ["--type", "common.Envelope"];
  await translate(site, ["proto_encode", ...types, "--input", `${envelope}.json`, "--output", envelope]);
  for (const da of by) {
    const orderer = { CORE_PEER_LOCALMSPID: da.orderer.msp, CORE_PEER_MSPCONFIGPATH: ordererAdminMsp(site.folder, da) };
    for (const environment of [{}, orderer]) {
      const said = await peerCommand(site, da, ["channel", "signconfigtx", "-f", envelope], environment);
      if (!said.ok) throw commandFailed(`signature of ${da.name}'s administrator`, said);
    }
  }
}

/** Sends the signed transaction until it is in a block: orderers that were restarted have forgotten what waited. */
async function order(site: Site, by: readonly Aggregator[], isInForce: () => Promise<boolean>): Promise<void> {
  const { envelope } = filesIn(site.folder.update);
  const what = "the update of the channel's configuration";
  for (let attempt = 1; ; attempt += 1) {
    const args = ["channel", "update", "-f", envelope, "-c", CHANNEL, ...(await throughLeader(site))];
    const said = await peerCommand(site, by[0] as Aggregator, args);
    if (!said.ok && !(await isInForce())) throw commandFailed(what, said);
    try {
      await waitFor(site.folder, { what, within: ORDERED, processes: [] }, async () =>
        (await isInForce()) ? [] : [ordererName(by[0] as Aggregator)],
      );
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Makes the channel one of some aggregators, unless it is: their organisations, their orderers as consenters, and Q of them
 * for chaincode. Fabric takes it all in one update, signed by a majority of the administrators.
 * @param by the aggregators whose administrators sign; the first one's peer tells who the administrator is.
 * @returns the newest configuration block.
 * @throws VeilgridError `command-failed`, `not-ready`.
 */
export async function updateChannel(
  site: Site,
  das: readonly Aggregator[],
  by: readonly Aggregator[],
  say: Say,
): Promise<Uint8Array> {
  const { folder } = site;
  rmSync(folder.update, { recursive: true, force: true });
  mkdirSync(folder.update);
  copyFileSync(join(folder.config, "core.yaml"), join(folder.update, "core.yaml"));
  if (await computeUpdate(site, das, by)) {
    say(`the channel's configuration: ${das.map(({ name }) => name).join(", ")}`);
    await sign(site, by);
    await order(site, by, async () => !(await computeUpdate(site, das, by)));
  }
  const block = readFileSync(filesIn(folder.update).block);
  rmSync(folder.update, { recursive: true });
  return block;
}

/** Keeps the configuration block by which a newcomer's orderer joins. */
export function keepJoinBlock(site: Site, da: Aggregator, block: Uint8Array): void {
  writeWhole(site.folder.joinBlock(da), block);
}
