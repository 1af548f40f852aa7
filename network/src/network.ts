import { VeilgridError } from "@veilgrid/protocol";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBinaries, type Binaries } from "./binaries.js";
import { makeChannel } from "./channel.js";
import { SIZES, aggregators, type Organisation } from "./consortium.js";
import { notApproved } from "./definition.js";
import { startServices } from "./deploy.js";
import { StateFolder } from "./folder.js";
import { makeIdentities } from "./identities.js";
import { exclusively } from "./lock.js";
import { isHealthy } from "./metrics.js";
import { joinOrderer, ordererName, ordererPlan } from "./orderers.js";
import { joinPeer, peerName, peerPlan } from "./peers.js";
import { requireLinux } from "./platform.js";
import { BASE_PORT, requireFree } from "./ports.js";
import { knownProcesses, processStatus, startProcess, stopProcess, stopStrays, type ProcessPlan } from "./process.js";
import { writeProfile } from "./profile.js";
import { awaitEndorsements } from "./readiness.js";
import { committedDeployment, readRecord, writeRecord, type Deployment, type NetworkRecord } from "./record.js";
import { bePatientInForce } from "./rolling.js";
import type { Say } from "./say.js";
import { Site } from "./site.js";
import { waitFor } from "./waiting.js";
import { watchdogPlan, WATCHDOG } from "./watchdog.js";

/** Milliseconds until all orderers and peers say that they are well. */
const START = 30_000;

/** What a network that is not there yet shall be; what is there already stays what it is. */
export interface UpOptions {
  /** Number of data aggregators, 4 to 10. */
  readonly size?: number;
  readonly basePort?: number;
  /** A folder with Fabric's commands. */
  readonly binaries?: string;
}

/** What a folder may have whose network was never begun to the end. */
const BEGUN = ["lock.json", "network.json.partial", "config", "builder"];

/** The external builder as it lies in the package. */
const BUILDER = fileURLToPath(new URL("../../builder", import.meta.url));

/** Fixes what a network is. Its stock configuration is copied, so that it stays what it was begun with. */
function begin(folder: StateFolder, { size, basePort }: UpOptions, binaries: Binaries): NetworkRecord {
  const begun = size ?? SIZES.least;
  const record: NetworkRecord = {
    version: 1,
    size: begun,
    aggregators: aggregators(begun).map(({ name }) => name),
    numbers: begun,
    basePort: basePort ?? BASE_PORT,
    binaries: binaries.folder,
    deployments: [],
  };
  mkdirSync(folder.root, { recursive: true });
  if (readdirSync(folder.root).some((name) => !BEGUN.includes(name))) {
    throw new VeilgridError("folder-in-use", "the folder has files that are no network's", {
      facts: { folder: folder.root },
      blame: "operator",
    });
  }
  mkdirSync(folder.config, { recursive: true });
  for (const name of ["core.yaml", "orderer.yaml"])
    copyFileSync(join(binaries.config, name), join(folder.config, name));
  cpSync(BUILDER, folder.builder, { recursive: true });
  for (const name of ["detect", "build", "release"]) chmodSync(join(folder.builder, "bin", name), 0o755);
  writeRecord(folder, record);
  return record;
}

/** @throws VeilgridError `other-network` when the one that is there was made otherwise. */
function requireSame(record: NetworkRecord, { size, basePort }: UpOptions): void {
  const same = (size ?? record.size) === record.size && (basePort ?? record.basePort) === record.basePort;
  if (same) return;
  throw new VeilgridError(
    "other-network",
    "the network that is here has another size or other ports; `reset` removes it",
    {
      facts: { size: record.size, basePort: record.basePort },
      blame: "operator",
    },
  );
}

async function siteFor(folder: StateFolder, options: UpOptions, say: Say): Promise<Site> {
  if (!folder.exists) {
    aggregators(options.size ?? SIZES.least);
    return new Site(folder, begin(folder, options, await findBinaries(options.binaries, say)));
  }
  const record = readRecord(folder);
  requireSame(record, options);
  if (options.binaries === undefined && existsSync(join(record.binaries, "peer"))) return new Site(folder, record);
  const moved = { ...record, binaries: (await findBinaries(options.binaries, say)).folder };
  writeRecord(folder, moved);
  return new Site(folder, moved);
}

/** Starts what does not run; ports are looked at before anything is started. @returns the names of all. */
async function startAll(site: Site, plans: readonly ProcessPlan[]): Promise<string[]> {
  const due = plans.filter(({ name }) => processStatus(site.folder, name).state === "stopped");
  await requireFree(due.flatMap(({ name, ports }) => ports.map((port) => ({ port, process: name }))));
  for (const plan of due) startProcess(site.folder, plan);
  return plans.map(({ name }) => name);
}

async function startFabric(site: Site): Promise<string[]> {
  const names = await startAll(site, [
    ...site.aggregators.map((da) => ordererPlan(site, da)),
    ...site.withPeer.map((organisation) => peerPlan(site, organisation)),
  ]);
  const operations = [
    ...site.aggregators.map((da) => site.ports(da).ordererOperations),
    ...site.withPeer.map((organisation) => site.ports(organisation).peerOperations),
  ];
  await waitFor(site.folder, { what: "orderers and peers", within: START, processes: names }, async () => {
    const healthy = await Promise.all(operations.map(isHealthy));
    return names.filter((_, i) => healthy[i] !== true);
  });
  return names;
}

/** A process that says it is well may not listen on all its ports yet. */
async function joining(site: Site, name: string, join: () => Promise<void>): Promise<void> {
  await waitFor(site.folder, { what: `${name} on the channel`, within: START, processes: [name] }, async () => {
    await join();
    return [];
  });
}

/**
 * Makes what is missing of a network, starts what does not run, and waits until all have joined and the gateways work of
 * those that have approved the chaincode. Who takes part in it has the network to itself.
 * @returns the names of those that have still to approve.
 */
export async function bringUp(site: Site, say: Say): Promise<string[]> {
  await makeIdentities(site);
  await makeChannel(site);
  writeProfile(site);
  const names = await startFabric(site);
  say(`${names.length} orderers and peers run`);
  await Promise.all(site.aggregators.map((da) => joining(site, ordererName(da), () => joinOrderer(site, da))));
  await Promise.all(site.withPeer.map((member) => joining(site, peerName(member), () => joinPeer(site, member))));
  const deployment = committedDeployment(readRecord(site.folder));
  if (deployment !== undefined) await startServices(site, deployment, withService(site, deployment));
  const absent = deployment === undefined ? [] : notApproved(site, deployment);
  const answering = site.withPeer.filter(({ name }) => !absent.includes(name));
  await awaitEndorsements(site, answering, deployment !== undefined, names);
  const asked = answering.at(-1);
  if (deployment !== undefined && asked !== undefined) await bePatientInForce(site, asked, say);
  startProcess(site.folder, watchdogPlan(site));
  return absent;
}

/** Who joins has its service when it comes to the chaincode. */
function withService({ folder, withPeer }: Site, { label }: Deployment): Organisation[] {
  return withPeer.filter((organisation) => existsSync(folder.service(label, organisation)));
}

function sayWhatIsLeft(site: Site, absent: readonly string[], say: Say): void {
  const { change } = readRecord(site.folder);
  if (change !== undefined) say(`not done yet: \`${change.what} ${change.name}\`; the same command goes on`);
  else if (absent.length > 0)
    say(`still to install and approve the chaincode: ${absent.join(", ")}; \`deploy\` does that`);
}

/**
 * Makes the network that is not there, starts what does not run, and is done when every gateway gets its endorsements.
 * What it started before it failed, it stops.
 * @throws VeilgridError `unsupported-platform`, `port-in-use`, `process-died` or `not-ready` with a process's last lines, `other-network`,
 *   `out-of-range`, and as findBinaries.
 */
export async function up(root: string, options: UpOptions, say: Say): Promise<Site> {
  requireLinux();
  const folder = new StateFolder(root);
  return exclusively(folder, () => upAlone(folder, options, say));
}

async function upAlone(folder: StateFolder, options: UpOptions, say: Say): Promise<Site> {
  const site = await siteFor(folder, options, say);
  const strays = await stopStrays(folder);
  if (strays > 0) say(`stopped ${strays} processes that an interrupted start left`);
  const before = knownProcesses(folder).filter((name) => processStatus(folder, name).state !== "stopped");
  try {
    sayWhatIsLeft(site, await bringUp(site, say), say);
  } catch (error) {
    await stopAll(folder, (name) => !before.includes(name));
    throw error;
  }
  return site;
}

/** Stops processes in an order that leaves nothing half done: who restarts others first, who orders last. */
async function stopAll(folder: StateFolder, which: (name: string) => boolean = () => true): Promise<string[]> {
  const names = knownProcesses(folder).filter(which);
  const stages = [[WATCHDOG], names.filter((name) => /^(?:peer|chaincode)\./.test(name)), names];
  for (const stage of stages) {
    await Promise.all(stage.filter((name) => names.includes(name)).map((name) => stopProcess(folder, name)));
  }
  await stopStrays(folder);
  return names;
}

/** Stops every process of a network; its ledger stays. @returns the names of those that were known. */
export async function down(root: string): Promise<string[]> {
  const folder = new StateFolder(root);
  return exclusively(folder, () => stopAll(folder));
}

/** Stops every process of a network and removes every file of it. @throws VeilgridError `folder-in-use` if it is none. */
export async function reset(root: string): Promise<void> {
  const folder = new StateFolder(root);
  if (!existsSync(folder.root)) return;
  const names = readdirSync(folder.root);
  if (!folder.exists && names.some((name) => !BEGUN.includes(name))) {
    throw new VeilgridError("folder-in-use", "the folder has files that are no network's: it is not removed", {
      facts: { folder: folder.root },
      blame: "operator",
    });
  }
  await exclusively(folder, async () => {
    await stopAll(folder);
    rmSync(folder.root, { recursive: true, force: true });
  });
}
