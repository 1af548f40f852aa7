import { quorum, VeilgridError } from "@veilgrid/protocol";
import { serviceName } from "./chaincode.js";
import { keepJoinBlock, updateChannel } from "./channel-update.js";
import { aggregator, aggregatorNamed, SIZES, type Aggregator } from "./consortium.js";
import { deployContent, deployedContent } from "./deploy.js";
import { requireReleased } from "./duties.js";
import { heights } from "./faults.js";
import { makeNewcomer } from "./identities.js";
import { exclusively } from "./lock.js";
import { bringUp } from "./network.js";
import { ordererName } from "./orderers.js";
import { peerName } from "./peers.js";
import { processStatus, stopProcess, stopStrays } from "./process.js";
import { writeProfile } from "./profile.js";
import { readRecord, writeRecord, type MembershipChange, type NetworkRecord } from "./record.js";
import type { Say } from "./say.js";
import { Site } from "./site.js";
import { waitFor } from "./waiting.js";

// "Adding a DA, in this order: channel configuration, chaincode definition (endorsement Q of W), params block" (PROTOCOL
// section 4, Setup). The params block is the consortium's own affair (`veilgrid params`): the organisation is there first,
// and goes last. Each step is done unless it has been, so that the same command goes on wherever it was interrupted.

/** Milliseconds until a newcomer has all blocks. */
const CAUGHT_UP = 120_000;

function list(das: readonly { readonly name: string }[]): string {
  return das.map(({ name }) => name).join(", ");
}

/** @throws VeilgridError `change-unfinished` while another aggregator is on its way. */
function requireAlone(site: Site, wanted: MembershipChange): void {
  const { change } = readRecord(site.folder);
  if (change === undefined || (change.what === wanted.what && change.name === wanted.name)) return;
  const under = `${change.what} ${change.name}`;
  throw new VeilgridError("change-unfinished", `\`${under}\` is not done yet: the same command goes on with it`, {
    facts: { ...change },
    blame: "caller",
  });
}

/** @throws VeilgridError `too-few-organisations` unless so many aggregators run, peer and orderer. */
function requireRunning(site: Site, das: readonly Aggregator[], needed: number): void {
  const runs = (name: string): boolean => processStatus(site.folder, name).state === "running";
  const able = das.filter((da) => runs(peerName(da)) && runs(ordererName(da)));
  if (able.length >= needed) return;
  const names = list(able);
  throw new VeilgridError(
    "too-few-organisations",
    `it takes ${needed} aggregators that run, peer and orderer; there are ${names || "none"}: \`up\` starts them`,
    { facts: { needed, able: names }, blame: "operator", retry: true },
  );
}

/** Writes down who takes part, or what is under way: a change is on disk before its first step and off it after its last. */
function note(site: Site, changed: Partial<Pick<NetworkRecord, "aggregators" | "numbers" | "change">>): Site {
  writeRecord(site.folder, { ...readRecord(site.folder), ...changed });
  return Site.open(site.folder.root);
}

/** Waits until a newcomer's peer and orderer have what the others have. */
async function awaitCaughtUp(site: Site, newcomer: Aggregator): Promise<void> {
  const own = [peerName(newcomer), ordererName(newcomer)];
  await waitFor(
    site.folder,
    { what: `the ledger at ${newcomer.name}`, within: CAUGHT_UP, processes: own },
    async () => {
      const known = await heights(site);
      const most = Math.max(...known.values());
      return own.filter((name) => (known.get(name) ?? 0) < most);
    },
  );
}

/** @throws VeilgridError `no-such-organisation` for a number that is not the next one, `out-of-range` for one too many. */
function requireNext(site: Site, { name, number }: Aggregator): void {
  const { numbers } = readRecord(site.folder);
  if (site.size >= SIZES.most) {
    throw new VeilgridError("out-of-range", `a network has ${SIZES.least} to ${SIZES.most} data aggregators`, {
      facts: { size: site.size + 1 },
      blame: "caller",
    });
  }
  if (number === numbers) return;
  const next = aggregator(numbers).name;
  const why = number < numbers ? `${name} has left, and a number is nobody else's ever` : `${name} is not the next one`;
  throw new VeilgridError("no-such-organisation", `${why}: the next aggregator is ${next}`, {
    facts: { name, next },
    blame: "caller",
  });
}

/** Channel: certificates, organisation and consenter; the block by which its orderer joins is kept. */
async function intoChannel(site: Site, newcomer: Aggregator, say: Say): Promise<Site> {
  requireRunning(site, site.aggregators, Math.max(quorum(site.size), quorum(site.size + 1) - 1));
  note(site, { change: { what: "add", name: newcomer.name } });
  await makeNewcomer(site, newcomer);
  const das = [...site.aggregators, newcomer];
  keepJoinBlock(site, newcomer, await updateChannel(site, das, site.aggregators, say));
  return note(site, { aggregators: das.map(({ name }) => name), numbers: newcomer.number + 1 });
}

/**
 * Brings another aggregator into a running network: into the channel's configuration, its orderer and its peer up to the
 * newest block, its service, and the chaincode's next definition, by which Q of all endorse. Then the connection profile
 * has it, and a version of the parameter set may name it (`veilgrid params propose --add-da`).
 * @param name of the next number; of one that is there, what is left is done.
 * @returns the network with it.
 * @throws VeilgridError `no-such-organisation`, `out-of-range`, `change-unfinished`, `too-few-organisations`, `no-network`,
 *   `network-busy`, `port-in-use`, `command-failed`, `process-died`, `not-ready`.
 */
export async function addAggregator(root: string, name: string, say: Say): Promise<Site> {
  const newcomer = aggregatorNamed(name);
  const { folder } = Site.open(root);
  return exclusively(folder, async () => {
    let site = Site.open(root);
    const change: MembershipChange = { what: "add", name };
    requireAlone(site, change);
    const isThere = site.aggregators.some((da) => da.name === name);
    if (isThere && readRecord(folder).change === undefined) return site;
    await stopStrays(folder);
    if (!isThere) {
      requireNext(site, newcomer);
      site = await intoChannel(site, newcomer, say);
    }
    await bringUp(site, say);
    await awaitCaughtUp(site, newcomer);
    say(`${name} has the ledger`);
    const content = deployedContent(site);
    if (content !== undefined) await deployContent(site, content, say);
    writeProfile(site);
    return note(site, { change: undefined });
  });
}

/** @throws VeilgridError `no-such-organisation`, `too-few-aggregators`, and as `requireReleased`. */
async function requireRemovable(site: Site, leaving: Aggregator): Promise<void> {
  const staying = site.aggregators.filter(({ name }) => name !== leaving.name);
  if (staying.length === site.size) {
    throw new VeilgridError("no-such-organisation", `${leaving.name} is not on the channel: ${list(staying)} are`, {
      facts: { name: leaving.name },
      blame: "caller",
    });
  }
  if (staying.length < SIZES.least) {
    throw new VeilgridError("too-few-aggregators", `a consortium has at least ${SIZES.least} data aggregators`, {
      facts: { aggregators: staying.length },
      blame: "caller",
    });
  }
  requireRunning(site, staying, quorum(site.size));
  await requireReleased(site, leaving);
}

/** Ends the processes of an aggregator that has left. What they wrote stays, as after `down`. */
async function stopAll(site: Site, leaving: Aggregator): Promise<void> {
  const services = readRecord(site.folder).deployments.map((deployment) => serviceName(leaving, deployment));
  const names = [...new Set(services), peerName(leaving), ordererName(leaving)];
  await Promise.all(names.map((name) => stopProcess(site.folder, name)));
}

/**
 * Lets an aggregator go that no version of the parameter set needs any more: out of the chaincode's next definition, by
 * which Q of those that stay endorse, then out of the channel's configuration, and its processes are stopped.
 * @returns the network without it.
 * @throws VeilgridError `still-a-member`, `still-serving`, `no-such-organisation`, `too-few-aggregators`,
 *   `change-unfinished`, `too-few-organisations`, `no-network`, `network-busy`, `command-failed`, `not-ready`.
 */
export async function removeAggregator(root: string, name: string, say: Say): Promise<Site> {
  const leaving = aggregatorNamed(name);
  const { folder } = Site.open(root);
  return exclusively(folder, async () => {
    let site = Site.open(root);
    const change: MembershipChange = { what: "remove", name };
    requireAlone(site, change);
    if (readRecord(folder).change === undefined) {
      if (hasLeft(site, leaving)) return site;
      await requireRemovable(site, leaving);
      const staying = site.aggregators.filter((da) => da.name !== name);
      site = note(site, { change, aggregators: staying.map((da) => da.name) });
    }
    await stopStrays(folder);
    const content = deployedContent(site);
    if (content !== undefined) await deployContent(site, content, say);
    await updateChannel(site, site.aggregators, site.aggregators, say);
    await stopAll(site, leaving);
    writeProfile(site);
    return note(site, { change: undefined });
  });
}

/** Whether an aggregator was here, and is not any more. */
function hasLeft(site: Site, { name, number }: Aggregator): boolean {
  return number < readRecord(site.folder).numbers && !site.aggregators.some((da) => da.name === name);
}
