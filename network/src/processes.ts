import { serviceName } from "./chaincode.js";
import { ordererName } from "./orderers.js";
import { peerName } from "./peers.js";
import { committedDeployment, readRecord } from "./record.js";
import type { Site } from "./site.js";
import { WATCHDOG } from "./watchdog.js";

/** The names of all processes that a network has when it is up, in the order of their start. */
export function networkProcesses(site: Site): string[] {
  const deployment = committedDeployment(readRecord(site.folder));
  const services = site.withPeer.map((organisation) => deployment && serviceName(organisation, deployment));
  return [
    ...site.aggregators.map(ordererName),
    ...site.withPeer.map(peerName),
    ...services.filter((name) => name !== undefined),
    WATCHDOG,
  ];
}
