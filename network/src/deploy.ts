import "./quiet.js";
import { ccaasPackage, packageId } from "@veilgrid/chaincode";
import { paramsCodec, VeilgridError, type Params } from "@veilgrid/protocol";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  codeDigest,
  makeConnection,
  makeService,
  PARAMS_FILE,
  serviceName,
  servicePlan,
  type ServiceContent,
} from "./chaincode.js";
import { CC, CHANNEL, KGCBP, type Organisation } from "./consortium.js";
import { writeWhole } from "./folder.js";
import { define, notApproved, requireAble } from "./definition.js";
import { committedSequence } from "./lifecycle.js";
import { exclusively } from "./lock.js";
import { readParams } from "./params-file.js";
import { requireFree } from "./ports.js";
import { processStatus, startProcess, stopProcess } from "./process.js";
import { writeProfile } from "./profile.js";
import { awaitEndorsements, awaitListening } from "./readiness.js";
import { committedDeployment, readRecord, recordDeployment, type Deployment } from "./record.js";
import { bePatient } from "./rolling.js";
import type { Say } from "./say.js";
import { Site } from "./site.js";

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
  const own = site.founders.map(({ msp }) => msp).join(", ");
  if (params.version !== 1) throw otherNetwork(`it is version ${params.version}, and the package holds version 1`);
  if (params.channel !== CHANNEL) throw otherNetwork(`its channel is ${params.channel}, not ${CHANNEL}`);
  if (das !== own) throw otherNetwork(`its data aggregators are ${das}, not ${own}`);
  if (params.cc.msp !== CC.msp || params.kgcbp.msp !== KGCBP.msp) throw otherNetwork("its CC or KGCBP has another MSP");
  return params;
}

/** Who needs another package gets one, and services of their own; else those in force stay. */
function packageOf(
  { params }: ServiceContent,
  begun: Pick<Deployment, "sequence" | "code">,
  inForce: Deployment | undefined,
): Pick<Deployment, "label" | "packageId" | "services"> {
  if (inForce?.code === begun.code) {
    const { label, packageId: id, services } = inForce;
    return { label, packageId: id, services };
  }
  const label = `veilgrid_${begun.sequence}-${begun.code.slice(0, 8)}`;
  const services = (inForce?.services ?? 0) + 1;
  return { label, packageId: packageId(label, ccaasPackage(params, label)), services };
}

/**
 * What a deployment of these parameters, the present code and the present aggregators is: the one in force, one left half
 * done, or the next.
 */
function nextDeployment(site: Site, content: ServiceContent): Deployment {
  const { deployments } = readRecord(site.folder);
  const inForce = committedDeployment({ deployments });
  const endorsers = site.aggregators.map(({ name }) => name);
  const wanted = { params: sha256(content.params), code: codeDigest(content.code), endorsers };
  if (inForce !== undefined && inForce.params !== wanted.params) {
    throw new VeilgridError("params-bound", "another version 1 of the parameter set is deployed, and it is for ever", {
      facts: { deployed: inForce.params, asked: wanted.params },
      blame: "caller",
    });
  }
  const alike = ({ params, code, endorsers: others }: Deployment): boolean =>
    isDeepStrictEqual({ params, code, endorsers: others }, wanted);
  const same = deployments.filter(alike).at(-1);
  if (same !== undefined && same.sequence >= (inForce?.sequence ?? 0)) return same;
  const sequence = (deployments.at(-1)?.committed === false ? -1 : 0) + deployments.length + 1;
  const begun = { ...wanted, sequence, committed: false, approvedBy: [] };
  return { ...begun, ...packageOf(content, begun, inForce) };
}

/** A crash may have come between the channel's commit and its being recorded here. */
async function reconcile(site: Site): Promise<void> {
  const last = readRecord(site.folder).deployments.at(-1);
  if (last === undefined || last.committed) return;
  const sequence = await committedSequence(site, requireAble(site)[0] as Organisation);
  if (sequence >= last.sequence) recordDeployment(site.folder, { ...last, committed: true });
}

/** Another deployment takes the place of one that was begun and never committed: the services of that one go. */
async function discard(site: Site, { sequence, packageId: id }: Deployment): Promise<void> {
  const { deployments } = readRecord(site.folder);
  const replaced = deployments.find((other) => other.sequence === sequence);
  const others = deployments.filter((other) => other !== replaced);
  if (replaced === undefined || replaced.packageId === id) return;
  if (others.some(({ services }) => services === replaced.services)) return;
  const names = site.withPeer.map((organisation) => serviceName(organisation, replaced));
  await Promise.all(names.map((name) => stopProcess(site.folder, name)));
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
async function stopOtherServices(site: Site, { services }: Deployment): Promise<void> {
  const others = readRecord(site.folder).deployments.filter((deployment) => deployment.services !== services);
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
  requireOwn(site, content.params);
  return exclusively(site.folder, () => deployContent(Site.open(site.folder.root), content, say));
}

/** As `deploy`, for who has the network to itself already. */
export async function deployContent(site: Site, content: ServiceContent, say: Say): Promise<Deployment> {
  await reconcile(site);
  const begun = nextDeployment(site, content);
  await bePatient(site, paramsCodec.decode(content.params).maxRegionMeters, say);
  return deployAlone(site, begun, content, say);
}

/** What the services in force are made of, so that another organisation gets the same; undefined where there are none. */
export function deployedContent(site: Site): ServiceContent | undefined {
  const deployment = committedDeployment(readRecord(site.folder));
  if (deployment === undefined) return undefined;
  const folders = site.withPeer.map((organisation) => site.folder.service(deployment.label, organisation));
  const code = folders.find((folder) => existsSync(folder));
  return code === undefined ? undefined : { code, params: readParams(join(code, PARAMS_FILE)) };
}

async function deployAlone(site: Site, begun: Deployment, content: ServiceContent, say: Say): Promise<Deployment> {
  await discard(site, begun);
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
  writeProfile(site);
  const absent = notApproved(site, deployment);
  say("deployed: every gateway that is up has its endorsements");
  if (absent.length > 0) say(`still to install and approve: ${absent.join(", ")}; start them, and deploy again`);
  return deployment;
}
