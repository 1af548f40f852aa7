import { quorum, VeilgridError } from "@veilgrid/protocol";
import type { Organisation } from "./consortium.js";
import { approve, commitDefinition, committedSequence, install, seenApprovals } from "./lifecycle.js";
import { peerName } from "./peers.js";
import { processStatus } from "./process.js";
import { recordDeployment, type Deployment } from "./record.js";
import type { Say } from "./say.js";
import type { Site } from "./site.js";
import { waitFor } from "./waiting.js";

/** Milliseconds until every endorser has seen every approval. */
const SEEN = 30_000;

/** Who has to be able: Q of those that stay, and Q of the channel's as long as one that leaves is still on it. */
function neededBy({ size, leaving }: Site): number {
  return quorum(leaving === undefined ? size : size + 1);
}

function tooFew(site: Site, able: readonly Organisation[], cause?: unknown): VeilgridError {
  const needed = neededBy(site);
  const names = able.map(({ name }) => name).join(", ");
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new VeilgridError(
    "too-few-organisations",
    `the channel takes a chaincode that ${needed} of ${site.size} aggregators approve; there are ${names || "none"}${why}`,
    { facts: { needed, able: names }, blame: "operator", retry: true, cause },
  );
}

function aggregatorsAmong(site: Site, organisations: readonly Organisation[]): Organisation[] {
  return site.aggregators.filter(({ name }) => organisations.some((other) => other.name === name));
}

/**
 * The organisations whose peers run: a stopped or frozen one cannot install or approve.
 * @throws VeilgridError `too-few-organisations` when fewer than Q aggregators are among them.
 */
export function requireAble(site: Site): Organisation[] {
  const able = site.withPeer.filter((member) => processStatus(site.folder, peerName(member)).state === "running");
  if (aggregatorsAmong(site, able).length < neededBy(site)) throw tooFew(site, able);
  return able;
}

/** The names of the organisations that have not approved a deployment: their peers do not endorse and do not answer. */
export function notApproved(site: Site, { approvedBy }: Pick<Deployment, "approvedBy">): string[] {
  return site.withPeer.map(({ name }) => name).filter((name) => !approvedBy.includes(name));
}

/** Lets organisations install and approve. @returns those that did, and why others did not. */
async function approvals(
  site: Site,
  deployment: Deployment,
  organisations: readonly Organisation[],
): Promise<{ readonly by: string[]; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  const each = async (members: readonly Organisation[], step: typeof install): Promise<Organisation[]> => {
    const outcomes = await Promise.allSettled(members.map((member) => step(site, deployment, member)));
    errors.push(...outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown));
    return members.filter((_, i) => outcomes[i]?.status === "fulfilled");
  };
  const by = await each(await each(organisations, install), approve);
  return { by: by.map(({ name }) => name), errors };
}

/** Waits until peers agree on who has approved: one that is a block behind would endorse another result. */
async function awaitApprovals(site: Site, deployment: Deployment, endorsers: readonly Organisation[]): Promise<void> {
  const approved = site.withPeer.filter(({ name }) => deployment.approvedBy.includes(name));
  const processes = endorsers.map(peerName);
  await waitFor(site.folder, { what: "the approvals at every peer", within: SEEN, processes }, async () => {
    const seen = await Promise.all(endorsers.map((endorser) => seenApprovals(site, deployment, endorser)));
    const behind = endorsers.filter((_, i) => approved.some(({ msp }) => seen[i]?.includes(msp) !== true));
    return behind.map(peerName);
  });
}

/**
 * Fabric's lifecycle: install and approve wherever that is possible and has not been done, commit once when Q of the
 * aggregators have approved.
 * @throws VeilgridError `too-few-organisations`, `command-failed`, `not-ready`, `process-died`.
 */
export async function define(
  site: Site,
  deployment: Deployment,
  able: readonly Organisation[],
  say: Say,
): Promise<Deployment> {
  const left = able.filter(({ name }) => notApproved(site, deployment).includes(name));
  if (left.length === 0 && deployment.committed) return deployment;
  say(`${left.map(({ name }) => name).join(", ")}: installing and approving ${deployment.packageId}`);
  const { by, errors } = await approvals(site, deployment, left);
  for (const error of errors) say(error instanceof Error ? error.message : String(error));
  const approvedBy = [...deployment.approvedBy, ...by];
  const approved = { ...deployment, approvedBy };
  recordDeployment(site.folder, approved);
  if (approved.committed) return approved;
  const endorsers = aggregatorsAmong(
    site,
    able.filter(({ name }) => approvedBy.includes(name)),
  );
  if (endorsers.length < neededBy(site)) throw tooFew(site, endorsers, errors[0]);
  if ((await committedSequence(site, endorsers[0] as Organisation)) < deployment.sequence) {
    await awaitApprovals(site, approved, endorsers);
    say(`committing it as sequence ${deployment.sequence}`);
    await commitDefinition(site, approved, endorsers);
  }
  const committed = { ...approved, committed: true };
  recordDeployment(site.folder, committed);
  return committed;
}
