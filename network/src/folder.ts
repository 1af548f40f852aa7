import { existsSync, mkdirSync, renameSync, writeFileSync, openSync, fsyncSync, closeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Organisation } from "./consortium.js";

/** Where a network keeps everything that it writes. */
export class StateFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  get exists(): boolean {
    return existsSync(this.record);
  }

  /** What the network is and what is deployed on it. */
  get record(): string {
    return join(this.root, "network.json");
  }

  /** How clients reach the network. */
  get profile(): string {
    return join(this.root, "profile.json");
  }

  get crypto(): string {
    return join(this.root, "crypto");
  }

  /** core.yaml, orderer.yaml and configtx.yaml. */
  get config(): string {
    return join(this.root, "config");
  }

  /** The channel's first block. */
  get genesis(): string {
    return join(this.root, "channel.block");
  }

  /** The configuration block by which an aggregator's orderer joined that is not of the first. */
  joinBlock({ name }: Organisation): string {
    return join(this.root, `channel-${name}.block`);
  }

  /** What a change of the channel's configuration is made of. */
  get update(): string {
    return join(this.root, "update");
  }

  get builder(): string {
    return join(this.root, "builder");
  }

  get logs(): string {
    return join(this.root, "logs");
  }

  get processes(): string {
    return join(this.root, "processes");
  }

  log(process: string): string {
    return join(this.logs, `${process}.log`);
  }

  /** The data of one process. */
  data(process: string): string {
    return join(this.root, "data", process);
  }

  /** An organisation's copy of the chaincode of a package label. */
  service(label: string, { name }: Organisation): string {
    return join(this.root, "chaincode", label, name);
  }

  package(label: string): string {
    return join(this.root, "chaincode", label, "package.tgz");
  }

  /** How a peer reaches its organisation's service: a file for each package label, with the peer's TLS key. */
  connections({ name }: Organisation): string {
    return join(this.root, "connections", name);
  }
}

/** Replaces a file as a whole: after a crash there is the old one or the new one. */
export function writeWhole(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  writeFileSync(partial, content, { mode });
  const file = openSync(partial, "r");
  fsyncSync(file);
  closeSync(file);
  renameSync(partial, path);
}
