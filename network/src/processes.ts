import { VeilgridError } from "@veilgrid/protocol";
import { servicePlan } from "./chaincode.js";
import { ordererPlan } from "./orderers.js";
import { peerPlan } from "./peers.js";
import type { ProcessPlan } from "./process.js";
import { committedDeployment, readRecord } from "./record.js";
import type { Site } from "./site.js";
import { watchdogPlan } from "./watchdog.js";

/** How all processes run that a network has when it is up, in the order of their start. */
function networkPlans(site: Site): ProcessPlan[] {
  const deployment = committedDeployment(readRecord(site.folder));
  return [
    ...site.aggregators.map((da) => ordererPlan(site, da)),
    ...site.withPeer.map((organisation) => peerPlan(site, organisation)),
    ...(deployment === undefined
      ? []
      : site.withPeer.map((organisation) => servicePlan(site, deployment, organisation))),
    watchdogPlan(site),
  ];
}

/** The names of all processes that a network has when it is up, in the order of their start. */
export function networkProcesses(site: Site): string[] {
  return networkPlans(site).map(({ name }) => name);
}

/** How a process of the network runs. @throws VeilgridError `no-process` that lists those there are. */
export function networkPlan(site: Site, name: string): ProcessPlan {
  const plans = networkPlans(site);
  const plan = plans.find((other) => other.name === name);
  if (plan !== undefined) return plan;
  const all = plans.map((other) => other.name).join(", ");
  throw new VeilgridError("no-process", `the network has no process ${name}; it has ${all}`, {
    facts: { process: name },
    blame: "caller",
  });
}
