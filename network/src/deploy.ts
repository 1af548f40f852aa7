import "./quiet.js";
import { ccaasPackage, packageId } from "@veilgrid/chaincode";
import { paramsCodec, VeilgridError, type Params } from "@veilgrid/protocol";
import { createHash } from "node:crypto";
import { codeDigest, makeConnection, makeService, serviceName, servicePlan, type ServiceContent } from "./chaincode.js";
import { CC, CHANNEL, KGCBP, type Organisation } from "./consortium.js";
import { writeWhole } from "./folder.js";
import { define, notApproved, requireAble } from "./definition.js";
import { committedSequence } from "./lifecycle.js";
import { exclusively } from "./lock.js";
import { requireFree } from "./ports.js";
import { processStatus, startProcess, stopProcess } from "./process.js";
import { awaitEndorsements, awaitListening } from "./readiness.js";
import { committedDeployment, readRecord, recordDeployment, type Deployment } from "./record.js";
import { bePatient } from "./rolling.js";
import type { Say } from "./say.js";
import type { Site } from "./site.js";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function otherNetwork(why: string): VeilgridError {
  return new VeilgridError("params-of-other-network", `the parameter set is not for this network: ${why}`, {
    facts: { why },
    blame: "caller",
  });
}

/** @throws VeilgridError `params-of-other-network`, or what the codec throws. */
function requireOwn(site: Site, bytes: Uint8Array): Params {
  const params = paramsCodec.decode(bytes);
  const das = params.da.map(({ msp }) => msp).join(", ");
  const own = site.aggregators.map(({ msp }) => msp).join(", ");
  if (params.version !== 1) throw otherNetwork(`it is version ${params.version}, and the package holds version 1`);
  if (params.channel !== CHANNEL) throw otherNetwork(`its channel is ${params.channel}, not ${CHANNEL}`);
  if (das !== own) throw otherNetwork(`its data aggregators are ${das}, not ${own}`);
  if (params.cc.msp !== CC.msp || params.kgcbp.msp !== KGCBP.msp) throw otherNetwork("its CC or KGCBP has another MSP");
  return params;
}

/** What a deployment of these parameters and the present code is: the one in force, one left half done, or the next. */
function nextDeployment(site: Site, { params, code }: ServiceContent): Deployment {
  const record = readRecord(site.folder);
  const inForce = committedDeployment(record);
  const wanted = { params: sha256(params), code: codeDigest(code) };
  if (inForce !== undefined && inForce.params !== wanted.params) {
    throw new VeilgridError("params-bound", "another version 1 of the parameter set is deployed, and it is for ever", {
      facts: { deployed: inForce.params, asked: wanted.params },
      blame: "caller",
    });
  }
  const same = record.deployments.find((other) => other.params === wanted.params && other.code === wanted.code);
  if (same !== undefined && same.sequence >= (inForce?.sequence ?? 0)) return same;
  const sequence = (record.deployments.at(-1)?.committed === false ? -1 : 0) + record.deployments.length + 1;
  const label = `veilgrid_${sequence}-${wanted.code.slice(0, 8)}`;
  const id = packageId(label, ccaasPackage(params, label));
  return { ...wanted, sequence, label, packageId: id, committed: false, approvedBy: [] };
}

/** A crash may have come between the channel's commit and its being recorded here. */
async function reconcile(site: Site): Promise<void> {
  const last = readRecord(site.folder).deployments.at(-1);
  if (last === undefined || last.committed) return;
  const sequence = await committedSequence(site, requireAble(site)[0] as Organisation);
  if (sequence >= last.sequence) recordDeployment(site.folder, { ...last, committed: true });
}

/** Starts the services of a deployment that do not run, of organisations, and waits until they listen. */
export async function startServices(
  site: Site,
  deployment: Deployment,
  organisations: readonly Organisation[],
): Promise<void> {
  const plans = organisations.map((organisation) => servicePlan(site, deployment, organisation));
  const due = plans.filter(({ name }) => processStatus(site.folder, name).state === "stopped");
  await requireFree(due.flatMap(({ name, ports }) => ports.map((port) => ({ port, process: name }))));
  for (const plan of due) startProcess(site.folder, plan);
  await awaitListening(site, plans);
}

/** Stops the services of all deployments but one. */
async function stopOtherServices(site: Site, { sequence }: Deployment): Promise<void> {
  const others = readRecord(site.folder).deployments.filter((deployment) => deployment.sequence !== sequence);
  const names = others.flatMap((other) => site.withPeer.map((organisation) => serviceName(organisation, other)));
  await Promise.all(names.map((name) => stopProcess(site.folder, name)));
}

/** Gives every organisation what its service and its peer need, those too that are down: theirs lies ready. */
function makeContent(site: Site, deployment: Deployment, content: ServiceContent): void {
  writeWhole(site.folder.package(deployment.label), ccaasPackage(content.params, deployment.label));
  for (const organisation of site.withPeer) {
    makeService(site, deployment.label, organisation, content);
    makeConnection(site, deployment, organisation);
  }
}

/**
 * Puts the present chaincode with a parameter set on the channel: package, services, install, approve, commit; the next
 * sequence if another one is in force, whose services listen until the new ones have taken over. An organisation whose
 * peer does not run is left out as long as Q aggregators are there. Doing it again does what is left to do.
 * @throws VeilgridError `no-network`, `params-of-other-network`, `params-bound`, `too-few-organisations`,
 *   `command-failed`, `process-died`, `not-ready`, `network-busy`.
 */
export async function deploy(site: Site, content: ServiceContent, say: Say): Promise<Deployment> {
  const { maxRegionMeters } = requireOwn(site, content.params);
  return exclusively(site.folder, async () => {
    await reconcile(site);
    const begun = nextDeployment(site, content);
    await bePatient(site, maxRegionMeters, say);
    return deployAlone(site, begun, content, say);
  });
}

async function deployAlone(site: Site, begun: Deployment, content: ServiceContent, say: Say): Promise<Deployment> {
  recordDeployment(site.folder, begun);
  makeContent(site, begun, content);
  const able = requireAble(site);
  await startServices(site, begun, able);
  const deployment = await define(site, begun, able, say);
  const ready = site.withPeer.filter(({ name }) => deployment.approvedBy.includes(name));
  const services = ready.map((organisation) => serviceName(organisation, deployment));
  await awaitEndorsements(
    site,
    able.filter((organisation) => ready.includes(organisation)),
    true,
    services,
  );
  await stopOtherServices(site, deployment);
  const absent = notApproved(site, deployment);
  say("deployed: every gateway that is up has its endorsements");
  if (absent.length > 0) say(`still to install and approve: ${absent.join(", ")}; start them, and deploy again`);
  return deployment;
}
