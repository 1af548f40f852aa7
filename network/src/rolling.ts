import { isVeilgridError } from "@veilgrid/protocol";
import type { Organisation } from "./consortium.js";
import { withView } from "./ledger-view.js";
import { endorsementSeconds, regionMeters } from "./patience.js";
import { peerName, peerPlan } from "./peers.js";
import { processStatus, startProcess, stopProcess } from "./process.js";
import { writeProfile } from "./profile.js";
import { awaitEndorsements } from "./readiness.js";
import { committedDeployment, readRecord, writeRecord } from "./record.js";
import type { Say } from "./say.js";
import type { Site } from "./site.js";

/** Restarts the peers that run, each when the one before is ready, so that Q of them endorse all the while. */
async function restartPeers(site: Site): Promise<void> {
  const deployment = committedDeployment(readRecord(site.folder));
  const answers = ({ name }: Organisation): boolean => deployment === undefined || deployment.approvedBy.includes(name);
  for (const member of site.withPeer) {
    const name = peerName(member);
    if (processStatus(site.folder, name).state !== "running") continue;
    await stopProcess(site.folder, name);
    startProcess(site.folder, peerPlan(site, member));
    if (answers(member)) await awaitEndorsements(site, [member], deployment !== undefined, [name]);
  }
}

/**
 * Has the gateways wait long enough for the regions of the parameter set in force, which may be larger than version 1's.
 * @param peer one that answers.
 * @throws VeilgridError `ledger-unavailable`, and as `bePatient`.
 */
export async function bePatientInForce(site: Site, peer: Organisation, say: Say): Promise<void> {
  const meters = await withView(site, peer, async (view) => {
    try {
      return (await view.currentParams()).maxRegionMeters;
    } catch (error) {
      if (isVeilgridError(error, "not-set-up")) return 0;
      throw error;
    }
  });
  await bePatient(site, meters, say);
}

/**
 * Has the gateways wait long enough for organisations that verify a region of so many meters. What they wait is in the
 * peers' environment, so peers that wait too short are restarted; those that wait longer are left alone.
 * @throws VeilgridError `not-ready`, `process-died`.
 */
export async function bePatient(site: Site, maxRegionMeters: number, say: Say): Promise<void> {
  const record = readRecord(site.folder);
  const before = endorsementSeconds(regionMeters(record));
  const wanted = endorsementSeconds(maxRegionMeters);
  if (wanted <= before) return;
  writeRecord(site.folder, { ...record, maxRegionMeters });
  writeProfile(site);
  say(
    `regions of ${maxRegionMeters} meters: gateways wait ${wanted} s for an endorsement, not ${before}; restarting peers`,
  );
  await restartPeers(site);
}
