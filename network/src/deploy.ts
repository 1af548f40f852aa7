import "./quiet.js";
import { ccaasPackage, packageId } from "@veilgrid/chaincode";
import { paramsCodec, VeilgridError, type Params } from "@veilgrid/protocol";
import { createHash } from "node:crypto";
import { codeDigest, makeConnection, makeService, serviceName, servicePlan, type ServiceContent } from "./chaincode.js";
import { CC, CHANNEL, KGCBP, type Organisation } from "./consortium.js";
import { writeWhole } from "./folder.js";
import { requireEndorsement } from "./gateways.js";
import { approve, commitDefinition, committedSequence, install } from "./lifecycle.js";
import { exclusively } from "./lock.js";
import { isFree, requireFree } from "./ports.js";
import { processStatus, startProcess, stopProcess, waitFor } from "./process.js";
import { committedDeployment, readRecord, recordDeployment, type Deployment } from "./record.js";
import type { Say } from "./say.js";
import type { Site } from "./site.js";

/** Milliseconds until a service listens, and until the gateways have heard of a definition. */
const SERVICE_START = 15_000;
const READY = 30_000;

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
  return { ...wanted, sequence, label, packageId: packageId(label, ccaasPackage(params, label)), committed: false };
}

/** A crash may have come between the channel's commit and its being recorded here. */
async function reconcile(site: Site): Promise<void> {
  const last = readRecord(site.folder).deployments.at(-1);
  if (last === undefined || last.committed) return;
  const sequence = await committedSequence(site, site.aggregators[0] as Organisation);
  if (sequence >= last.sequence) recordDeployment(site.folder, { ...last, committed: true });
}

/** Starts the services of a deployment that do not run, and waits until they listen. */
export async function startServices(site: Site, deployment: Deployment): Promise<void> {
  const plans = site.withPeer.map((organisation) => servicePlan(site, deployment, organisation));
  const due = plans.filter(({ name }) => processStatus(site.folder, name).state === "stopped");
  await requireFree(due.flatMap(({ name, ports }) => ports.map((port) => ({ port, process: name }))));
  for (const plan of due) startProcess(site.folder, plan);
  const waiting = { what: "the chaincode services", within: SERVICE_START, processes: plans.map(({ name }) => name) };
  await waitFor(site.folder, waiting, async () => {
    const free = await Promise.all(plans.map(({ ports }) => isFree(ports[0] as number)));
    return plans.filter((_, i) => free[i]).map(({ name }) => name);
  });
}

/** Stops the services of all deployments but one. */
async function stopOtherServices(site: Site, { sequence }: Deployment): Promise<void> {
  const others = readRecord(site.folder).deployments.filter((deployment) => deployment.sequence !== sequence);
  const names = others.flatMap((other) => site.withPeer.map((organisation) => serviceName(organisation, other)));
  await Promise.all(names.map((name) => stopProcess(site.folder, name)));
}

/** Waits until every gateway has something endorsed by Q organisations. @throws VeilgridError `not-ready`, `process-died`. */
export async function awaitEndorsements(site: Site, deployed: boolean, processes: readonly string[]): Promise<void> {
  await Promise.all(
    site.withPeer.map((organisation) =>
      waitFor(site.folder, { what: `the gateway of ${organisation.name}`, within: READY, processes }, async () => {
        await requireEndorsement(site, organisation, deployed);
        return [];
      }),
    ),
  );
}

async function eachOf(
  organisations: readonly Organisation[],
  action: (organisation: Organisation) => Promise<void>,
): Promise<void> {
  await Promise.all(organisations.map(action));
}

/** Fabric's lifecycle: install and approve everywhere, commit once. */
async function define(site: Site, deployment: Deployment): Promise<void> {
  const first = site.aggregators[0] as Organisation;
  await eachOf(site.withPeer, (organisation) => install(site, deployment, organisation));
  await eachOf(site.withPeer, (organisation) => approve(site, deployment, organisation));
  if ((await committedSequence(site, first)) < deployment.sequence) {
    await commitDefinition(site, deployment, site.aggregators);
  }
}

/**
 * Puts the present chaincode with a parameter set on the channel: package, services, install, approve, commit; the next
 * sequence if another one is in force, whose services listen until the new ones have taken over. Doing it again does
 * what is left to do.
 * @throws VeilgridError `no-network`, `params-of-other-network`, `params-bound`, `command-failed`, `process-died`, `not-ready`,
 *   `network-busy`.
 */
export async function deploy(site: Site, content: ServiceContent, say: Say): Promise<Deployment> {
  requireOwn(site, content.params);
  return exclusively(site.folder, () => deployAlone(site, content, say));
}

async function deployAlone(site: Site, content: ServiceContent, say: Say): Promise<Deployment> {
  const { params } = content;
  await reconcile(site);
  const deployment = nextDeployment(site, content);
  const { label, sequence } = deployment;
  recordDeployment(site.folder, deployment);
  writeWhole(site.folder.package(label), ccaasPackage(params, label));
  for (const organisation of site.withPeer) {
    makeService(site, label, organisation, content);
    makeConnection(site, deployment, organisation);
  }
  await startServices(site, deployment);
  if (!deployment.committed) {
    say(`deploying ${deployment.packageId} as sequence ${sequence}`);
    await define(site, deployment);
  }
  await awaitEndorsements(
    site,
    true,
    site.withPeer.map((organisation) => serviceName(organisation, deployment)),
  );
  const committed = { ...deployment, committed: true };
  recordDeployment(site.folder, committed);
  await stopOtherServices(site, committed);
  say(`deployed: every gateway has its endorsements`);
  return committed;
}
