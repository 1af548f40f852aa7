import { VeilgridError } from "@veilgrid/protocol";
import { readFileSync } from "node:fs";
import { aggregator } from "./consortium.js";
import { writeWhole, type StateFolder } from "./folder.js";

/** A chaincode definition of the channel, or one that is on its way. */
export interface Deployment {
  readonly sequence: number;
  /** The names of the aggregators of which Q endorse. */
  readonly endorsers: readonly string[];
  /**
   * The sequence by which its services are called and listen: one that changes only who endorses keeps the package and the
   * services of the one before.
   */
  readonly services: number;
  readonly label: string;
  readonly packageId: string;
  /** SHA-256 of version 1 of the parameter set. */
  readonly params: string;
  /** SHA-256 over the code that the services run. */
  readonly code: string;
  readonly committed: boolean;
  /** The names of the organisations that have installed and approved it. */
  readonly approvedBy: readonly string[];
}

/** An aggregator on its way, until all steps of the way are done. */
export interface MembershipChange {
  readonly what: "add" | "remove";
  readonly name: string;
}

/** What a network is: enough to start all its processes again. */
export interface NetworkRecord {
  readonly version: 1;
  /** How many aggregators it began with. */
  readonly size: number;
  /** The names of the aggregators that are on the channel and stay. */
  readonly aggregators: readonly string[];
  /** How many numbers aggregators were given so far. */
  readonly numbers: number;
  /** An aggregator that is being added or removed. */
  readonly change?: MembershipChange | undefined;
  readonly basePort: number;
  /** The folder of Fabric's commands. */
  readonly binaries: string;
  /** The largest region that the peers are patient enough for, where that is more than the default. */
  readonly maxRegionMeters?: number;
  /** In the order of their sequence. */
  readonly deployments: readonly Deployment[];
}

/** The network of a state folder. @throws VeilgridError `no-network`, `state-damaged`. */
export function readRecord(folder: StateFolder): NetworkRecord {
  if (!folder.exists) {
    throw new VeilgridError("no-network", "there is no network here; `up` makes one", {
      facts: { folder: folder.root },
      blame: "operator",
    });
  }
  try {
    const record = JSON.parse(readFileSync(folder.record, "utf8")) as NetworkRecord;
    const whole = record.deployments.every(({ approvedBy }) => Array.isArray(approvedBy));
    if ((record.version as number) === 1 && whole) return completed(record);
    throw new Error(`version ${String(record.version)}`);
  } catch (cause) {
    throw new VeilgridError("state-damaged", "network.json is not what this version writes; `reset` starts anew", {
      facts: { file: folder.record },
      blame: "operator",
      cause,
    });
  }
}

/** A record that was written before aggregators could come and go does not say who they are. */
function completed(record: NetworkRecord): NetworkRecord {
  const founders = Array.from({ length: record.size }, (_, number) => aggregator(number).name);
  const { aggregators = founders, numbers = record.size } = record as Partial<NetworkRecord>;
  const deployments = record.deployments.map((deployment) => {
    const { endorsers = founders, services = deployment.sequence } = deployment as Partial<Deployment>;
    return { ...deployment, endorsers, services };
  });
  return { ...record, aggregators, numbers, deployments };
}

export function writeRecord(folder: StateFolder, record: NetworkRecord): void {
  writeWhole(folder.record, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Records a deployment, in the place of what was known of its sequence. */
export function recordDeployment(folder: StateFolder, deployment: Deployment): NetworkRecord {
  const record = readRecord(folder);
  const others = record.deployments.filter(({ sequence }) => sequence !== deployment.sequence);
  const changed = { ...record, deployments: [...others, deployment] };
  writeRecord(folder, changed);
  return changed;
}

/** The definition that the channel has. */
export function committedDeployment({ deployments }: Pick<NetworkRecord, "deployments">): Deployment | undefined {
  return deployments.filter(({ committed }) => committed).at(-1);
}
