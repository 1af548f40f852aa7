import { VeilgridError } from "@veilgrid/protocol";
import { readFileSync } from "node:fs";
import { writeWhole, type StateFolder } from "./folder.js";

/** A chaincode definition of the channel, or one that is on its way. */
export interface Deployment {
  readonly sequence: number;
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

/** What a network is: enough to start all its processes again. */
export interface NetworkRecord {
  readonly version: 1;
  readonly size: number;
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
    if ((record.version as number) === 1 && whole) return record;
    throw new Error(`version ${String(record.version)}`);
  } catch (cause) {
    throw new VeilgridError("state-damaged", "network.json is not what this version writes; `reset` starts anew", {
      facts: { file: folder.record },
      blame: "operator",
      cause,
    });
  }
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
export function committedDeployment({ deployments }: NetworkRecord): Deployment | undefined {
  return deployments.filter(({ committed }) => committed).at(-1);
}
