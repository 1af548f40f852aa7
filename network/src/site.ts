import { join } from "node:path";
import type { Binaries } from "./binaries.js";
import {
  aggregator,
  aggregatorNamed,
  isAggregator,
  KGCBP,
  organisations,
  peerOrganisations,
  type Aggregator,
  type Organisation,
} from "./consortium.js";
import { StateFolder } from "./folder.js";
import { portsOf, type Ports } from "./ports.js";
import { readRecord, type NetworkRecord } from "./record.js";

/** What a site is made from: whoever begins one need not say who is on its channel, for that are the founders. */
type Ground = Pick<NetworkRecord, "size" | "basePort" | "binaries"> &
  Partial<Pick<NetworkRecord, "aggregators" | "change">>;

/** A network on this machine: where it lies, what runs it, who is on its channel, and which ports are whose. */
export class Site {
  readonly folder: StateFolder;
  readonly binaries: Binaries;
  /** The aggregators with which it began, which version 1 of the parameter set names. */
  readonly founders: readonly Aggregator[];
  /** The aggregators that are on the channel and stay. */
  readonly aggregators: readonly Aggregator[];
  /** The aggregator that is being removed and may still be on the channel. */
  readonly leaving: Aggregator | undefined;
  readonly #basePort: number;

  constructor(folder: StateFolder, { size, basePort, binaries, aggregators, change }: Ground) {
    this.folder = folder;
    // What up copied into the state folder is what runs, also when the cache has gone on to another version.
    this.binaries = { folder: binaries, config: folder.config, version: "" };
    this.founders = Array.from({ length: size }, (_, number) => aggregator(number));
    this.aggregators = aggregators?.map(aggregatorNamed) ?? this.founders;
    this.leaving = change?.what === "remove" ? aggregatorNamed(change.name) : undefined;
    this.#basePort = basePort;
  }

  /** The network of a state folder. @throws VeilgridError `no-network`, `state-damaged`. */
  static open(root: string): Site {
    const folder = new StateFolder(root);
    return new Site(folder, readRecord(folder));
  }

  /** How many aggregators are on the channel and stay. */
  get size(): number {
    return this.aggregators.length;
  }

  /** The data aggregators and KGCBP. */
  get withPeer(): Organisation[] {
    return peerOrganisations(this.aggregators);
  }

  /** All organisations of the channel's application. */
  get members(): Organisation[] {
    return organisations(this.aggregators);
  }

  ports(organisation: Organisation): Ports {
    if (!isAggregator(organisation) && organisation.name !== KGCBP.name)
      throw new RangeError(`${organisation.name} has no ports`);
    return portsOf(this.#basePort, this.founders.length, organisation);
  }

  command(name: string): string {
    return join(this.binaries.folder, name);
  }
}
