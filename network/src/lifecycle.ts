import { commandFailed, type Said } from "./command.js";
import {
  aggregatorNamed,
  CHAINCODE,
  CHANNEL,
  endorsementPolicy,
  type Aggregator,
  type Organisation,
} from "./consortium.js";
import { ordererTls, peerTls } from "./identities.js";
import { ordererLeader } from "./metrics.js";
import { ordererName } from "./orderers.js";
import { peerCommand } from "./peers.js";
import { HOST } from "./ports.js";
import { processStatus } from "./process.js";
import type { Deployment } from "./record.js";
import type { Site } from "./site.js";

const LIFECYCLE = ["lifecycle", "chaincode"] as const;

function lifecycle(site: Site, organisation: Organisation, args: readonly string[]): Promise<Said> {
  return peerCommand(site, organisation, [...LIFECYCLE, ...args]);
}

/**
 * The orderer that leads: another one passes a transaction on only after its forward time-out. One that is known as the
 * leader and does not run has not been replaced yet; any other sees to that.
 */
export async function throughLeader(site: Site): Promise<string[]> {
  const runs = (da: Aggregator): boolean => processStatus(site.folder, ordererName(da)).state === "running";
  const known = await ordererLeader(site);
  const leader = runs(known) ? known : (site.aggregators.find(runs) ?? known);
  const address = `${HOST}:${site.ports(leader).orderer}`;
  return ["-o", address, "--tls", "--cafile", ordererTls(site.folder, leader).authority];
}

/** Times that a transaction is sent which no peer saw committed in the 30 s that the command waits. */
const ATTEMPTS = 4;
/** What the command says then: that it waited, or that its peer did. */
const UNSEEN = /timed out waiting for txid|context finished before block retrieved/;

/**
 * Sends a transaction of the lifecycle, through whoever leads by then, until its outcome is known. Orderers that were
 * stuck and restarted have forgotten what they had not ordered.
 */
async function persistently(send: (order: readonly string[]) => Promise<Said>, site: Site): Promise<Said> {
  for (let attempt = 1; ; attempt += 1) {
    const said = await send(await throughLeader(site));
    if (said.ok || attempt === ATTEMPTS || !UNSEEN.test(said.stderr)) return said;
  }
}

function definition({ sequence, endorsers }: Deployment): string[] {
  const version = ["--version", String(sequence), "--sequence", String(sequence)];
  return [
    "-C",
    CHANNEL,
    "--name",
    CHAINCODE,
    ...version,
    "--signature-policy",
    endorsementPolicy(endorsers.map(aggregatorNamed)),
  ];
}

/** The sequence of the chaincode's definition that the channel has; 0 if it has none. @throws VeilgridError `command-failed`. */
export async function committedSequence(site: Site, organisation: Organisation): Promise<number> {
  const args = ["querycommitted", "-C", CHANNEL, "--name", CHAINCODE, "--output", "json"];
  const said = await lifecycle(site, organisation, args);
  if (said.ok) return (JSON.parse(said.stdout) as { sequence: number }).sequence;
  if (said.stderr.includes("404")) return 0;
  throw commandFailed("querycommitted", said);
}

/** Installs the package on an organisation's peer, unless it is there. @throws VeilgridError `command-failed`. */
export async function install(site: Site, { label }: Deployment, organisation: Organisation): Promise<void> {
  const said = await lifecycle(site, organisation, ["install", site.folder.package(label)]);
  if (said.ok || said.stderr.includes("chaincode already successfully installed")) return;
  throw commandFailed(`install at ${organisation.name}`, said);
}

/** An organisation says yes to the definition and names the package. @throws VeilgridError `command-failed`. */
export async function approve(site: Site, deployment: Deployment, organisation: Organisation): Promise<void> {
  const own = ["--package-id", deployment.packageId];
  const approval = (order: readonly string[]): Promise<Said> =>
    lifecycle(site, organisation, ["approveformyorg", ...order, ...definition(deployment), ...own]);
  const said = await persistently(approval, site);
  // The same approval again is refused; other parameters for a sequence that is in force are refused in other words.
  if (said.ok || /attempted to redefine (?!.*different parameters)/.test(said.stderr)) return;
  throw commandFailed(`approval by ${organisation.name}`, said);
}

/** The MSPs whose approval of a definition an organisation's peer has seen. @throws VeilgridError `command-failed`. */
export async function seenApprovals(
  site: Site,
  deployment: Deployment,
  organisation: Organisation,
): Promise<readonly string[]> {
  const args = ["checkcommitreadiness", ...definition(deployment), "--output", "json"];
  const said = await lifecycle(site, organisation, args);
  if (!said.ok) throw commandFailed(`readiness at ${organisation.name}`, said);
  const { approvals } = JSON.parse(said.stdout) as { approvals: Readonly<Record<string, boolean>> };
  return Object.keys(approvals).filter((msp) => approvals[msp] === true);
}

/** Puts the definition in force, endorsed by every aggregator that can be reached. @throws VeilgridError `command-failed`. */
export async function commitDefinition(site: Site, deployment: Deployment, by: readonly Organisation[]): Promise<void> {
  const endorsers = by.flatMap((organisation) => [
    "--peerAddresses",
    `${HOST}:${site.ports(organisation).peer}`,
    "--tlsRootCertFiles",
    peerTls(site.folder, organisation).authority,
  ]);
  const committer = by[0] as Organisation;
  const commit = (order: readonly string[]): Promise<Said> =>
    lifecycle(site, committer, ["commit", ...order, ...definition(deployment), ...endorsers]);
  const said = await persistently(commit, site);
  // One whose outcome was not seen may have been committed: the same again is refused.
  if (said.ok || (await committedSequence(site, committer)) >= deployment.sequence) return;
  throw commandFailed("commit of the chaincode's definition", said);
}
