import { join } from "node:path";
import type { Binaries } from "./binaries.js";
import { aggregators, peerOrganisations, type Aggregator, type Organisation } from "./consortium.js";
import { StateFolder } from "./folder.js";
import { portPlan, type Ports } from "./ports.js";
import { readRecord, type NetworkRecord } from "./record.js";

/** A network on this machine: where it lies, what runs it, and which ports are whose. */
export class Site {
  readonly folder: StateFolder;
  readonly binaries: Binaries;
  readonly size: number;
  readonly #ports: ReadonlyMap<string, Ports>;

  constructor(
    folder: StateFolder,
    { size, basePort, binaries }: Pick<NetworkRecord, "size" | "basePort" | "binaries">,
  ) {
    this.folder = folder;
    // What up copied into the state folder is what runs, also when the cache has gone on to another version.
    this.binaries = { folder: binaries, config: folder.config, version: "" };
    this.size = size;
    this.#ports = portPlan(size, basePort);
  }

  /** The network of a state folder. @throws VeilgridError `no-network`, `state-damaged`. */
  static open(root: string): Site {
    const folder = new StateFolder(root);
    return new Site(folder, readRecord(folder));
  }

  get aggregators(): Aggregator[] {
    return aggregators(this.size);
  }

  /** The data aggregators and KGCBP. */
  get withPeer(): Organisation[] {
    return peerOrganisations(this.size);
  }

  ports({ name }: Organisation): Ports {
    const ports = this.#ports.get(name);
    if (ports === undefined) throw new RangeError(`${name} has no ports`);
    return ports;
  }

  command(name: string): string {
    return join(this.binaries.folder, name);
  }
}
