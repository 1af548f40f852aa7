import { notApproved } from "./definition.js";
import { committedSequence } from "./lifecycle.js";
import { isHealthy, metricsAt, ordererLeader, ordererView } from "./metrics.js";
import { ordererName } from "./orderers.js";
import { peerName } from "./peers.js";
import { processStatus, type ProcessState, type ProcessStatus } from "./process.js";
import { networkProcesses } from "./processes.js";
import { committedDeployment, readRecord, type Deployment, type MembershipChange } from "./record.js";
import type { Site } from "./site.js";

/** A process, and what it says of itself. */
export interface ProcessReport extends ProcessStatus {
  /** Number of blocks that an orderer or peer has. */
  readonly height?: number;
  readonly healthy?: boolean;
}

/** What a network is doing. */
export interface NetworkStatus {
  readonly folder: string;
  readonly size: number;
  /** All its processes in one state, or not. */
  readonly state: ProcessState | "mixed";
  readonly processes: readonly ProcessReport[];
  /** The process of the leading orderer, as the others know it. */
  readonly leader?: string;
  readonly deployment?: Deployment;
  /** Processes that were stopped in the middle of their work (SIGSTOP) and hold others up. */
  readonly frozen: readonly string[];
  /** An aggregator that is being added or removed: the same command goes on. */
  readonly change?: MembershipChange;
  /** Organisations that have still to install and approve what is deployed. */
  readonly notApproved: readonly string[];
  /** The sequence that the channel itself tells, if it can be asked. */
  readonly sequence?: number;
}

async function ordererReports(site: Site): Promise<ProcessReport[]> {
  return Promise.all(
    site.aggregators.map(async (da) => {
      const view = await ordererView(site, da);
      const healthy = await isHealthy(site.ports(da).ordererOperations);
      return { ...processStatus(site.folder, ordererName(da)), healthy, ...(view && { height: view.height }) };
    }),
  );
}

async function peerReports(site: Site): Promise<ProcessReport[]> {
  return Promise.all(
    site.withPeer.map(async (organisation) => {
      const port = site.ports(organisation).peerOperations;
      const height = (await metricsAt(port))?.get("ledger_blockchain_height");
      const healthy = await isHealthy(port);
      return {
        ...processStatus(site.folder, peerName(organisation)),
        healthy,
        ...(height !== undefined && { height }),
      };
    }),
  );
}

function common(states: readonly ProcessState[]): ProcessState | "mixed" {
  const [first] = states;
  return first !== undefined && states.every((state) => state === first) ? first : "mixed";
}

async function askedSequence(site: Site): Promise<number | undefined> {
  const running = site.aggregators.find((da) => processStatus(site.folder, peerName(da)).state === "running");
  if (running === undefined) return undefined;
  return committedSequence(site, running).catch(() => undefined);
}

/** Looks at every process of a network and asks it how far it is. @throws VeilgridError `no-network`. */
export async function networkStatus(site: Site): Promise<NetworkStatus> {
  const reports = [...(await ordererReports(site)), ...(await peerReports(site))];
  const others = networkProcesses(site).filter((name) => !reports.some((report) => report.name === name));
  const processes = [...reports, ...others.map((name) => processStatus(site.folder, name))];
  const record = readRecord(site.folder);
  const { change } = record;
  const deployment = committedDeployment(record);
  const state = common(processes.map((process) => process.state));
  const sequence = await askedSequence(site);
  return {
    folder: site.folder.root,
    size: site.size,
    state,
    processes,
    frozen: processes.filter((process) => process.state === "frozen").map(({ name }) => name),
    notApproved: deployment === undefined ? [] : notApproved(site, deployment),
    ...(state !== "stopped" && { leader: ordererName(await ordererLeader(site)) }),
    ...(deployment && { deployment }),
    ...(change && { change }),
    ...(sequence !== undefined && { sequence }),
  };
}
