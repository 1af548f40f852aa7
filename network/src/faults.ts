import { serviceName } from "./chaincode.js";
import type { Aggregator, Organisation } from "./consortium.js";
import { exclusively } from "./lock.js";
import { isHealthy, metricsAt, ordererLeader } from "./metrics.js";
import { ordererHeight, ordererName } from "./orderers.js";
import { peerName } from "./peers.js";
import * as processes from "./process.js";
import { networkPlan } from "./processes.js";
import { isListening } from "./ports.js";
import { committedDeployment, readRecord } from "./record.js";
import type { Site } from "./site.js";
import { waitFor } from "./waiting.js";

// What an operator or a test does to single processes of a network. Whatever was stopped, killed or frozen stays so
// until it is started or thawed, or `up` starts it: the watchdog leaves it alone.

/** Milliseconds until a process that was started answers, and until one is frozen or thawed. */
const START = 30_000;
const SIGNAL = 5000;

/** What an organisation runs. */
export type Part = "peer" | "orderer" | "chaincode";

/** The process of a part of an organisation; nothing if it has none (KGCBP no orderer, nobody chaincode before `deploy`). */
export function partProcess(site: Site, organisation: Organisation, part: Part): string | undefined {
  if (part === "peer") return peerName(organisation);
  if (part === "orderer")
    return site.aggregators.map(ordererName).find((name) => name.endsWith(`.${organisation.name}`));
  const deployment = committedDeployment(readRecord(site.folder));
  return deployment && serviceName(organisation, deployment);
}

/** All processes of an organisation: peer, orderer, chaincode, as far as it has them. */
export function organisationProcesses(site: Site, organisation: Organisation): string[] {
  const parts: readonly Part[] = ["peer", "orderer", "chaincode"];
  return parts.map((part) => partProcess(site, organisation, part)).filter((name) => name !== undefined);
}

async function inState(site: Site, name: string, state: processes.ProcessState): Promise<void> {
  await waitFor(site.folder, { what: `${name} ${state}`, within: SIGNAL, processes: [name] }, () =>
    Promise.resolve(processes.processStatus(site.folder, name).state === state ? [] : [name]),
  );
}

/** Kills a process as a crash would. @throws VeilgridError `no-process`, `process-stopped`. */
export async function kill(site: Site, name: string): Promise<void> {
  await processes.killProcess(site.folder, networkPlan(site, name).name);
}

/** Stops a process in the middle of what it does, connections open, until it is thawed. @throws as kill. */
export async function freeze(site: Site, name: string): Promise<void> {
  processes.signalProcess(site.folder, networkPlan(site, name).name, "SIGSTOP");
  await inState(site, name, "frozen");
}

/** Lets a frozen process go on. @throws as kill. */
export async function thaw(site: Site, name: string): Promise<void> {
  processes.signalProcess(site.folder, networkPlan(site, name).name, "SIGCONT");
  await inState(site, name, "running");
}

/** Ends a process in good order. @throws VeilgridError `no-process`, `network-busy`, `process-unstoppable`. */
export async function stop(site: Site, name: string): Promise<void> {
  const plan = networkPlan(site, name);
  await exclusively(site.folder, () => processes.stopProcess(site.folder, plan.name));
}

async function answers(site: Site, name: string): Promise<boolean> {
  const healthPort = operationsPort(site, name);
  if (healthPort !== undefined) return isHealthy(healthPort);
  const listening = await Promise.all(networkPlan(site, name).ports.map(isListening));
  return listening.every((yes) => yes);
}

function operationsPort(site: Site, name: string): number | undefined {
  const peer = site.withPeer.find((organisation) => peerName(organisation) === name);
  const orderer = site.aggregators.find((da) => ordererName(da) === name);
  if (peer !== undefined) return site.ports(peer).peerOperations;
  return orderer && site.ports(orderer).ordererOperations;
}

/**
 * Starts a process that does not run, and waits until it says that it is well (a peer, an orderer) or listens (a
 * chaincode service): what the others have decided meanwhile it may still have to fetch.
 * @throws VeilgridError `no-process`, `network-busy`, `process-died`, `not-ready`.
 */
export async function start(site: Site, name: string): Promise<void> {
  const plan = networkPlan(site, name);
  await exclusively(site.folder, async () => {
    processes.startProcess(site.folder, plan);
    await waitFor(site.folder, { what: name, within: START, processes: [name] }, async () =>
      (await answers(site, name)) ? [] : [name],
    );
  });
}

/** Number of blocks of every peer and orderer that tells it, by process. */
export async function heights(site: Site): Promise<ReadonlyMap<string, number>> {
  const orderer = async (da: Aggregator): Promise<[string, number | undefined]> => {
    const runs = processes.processStatus(site.folder, ordererName(da)).state === "running";
    return [ordererName(da), runs ? await ordererHeight(site, da).catch(() => undefined) : undefined];
  };
  const peer = async (organisation: Organisation): Promise<[string, number | undefined]> => {
    const metrics = await metricsAt(site.ports(organisation).peerOperations);
    return [peerName(organisation), metrics?.get("ledger_blockchain_height")];
  };
  const all = await Promise.all([...site.aggregators.map(orderer), ...site.withPeer.map(peer)]);
  return new Map(all.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** The process of the orderer that leads SmartBFT, as the one with the most blocks knew it when it wrote its last. */
export async function leadingOrderer(site: Site): Promise<string> {
  return ordererName(await ordererLeader(site));
}
