import type { Log } from "../ports/log.js";
import { faultOf, type Fault, type FaultKind, type Phase } from "./errors.js";
import type { GatewayPort } from "./port.js";
import type { Standing } from "./standing.js";

/** What a gateway did, or why none could. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T; readonly gateway: string }
  | { readonly ok: false; readonly fault: Fault; readonly faults: readonly Fault[] };

/** What a call to several gateways works with. */
export interface FailoverModules {
  readonly standing: Standing;
  readonly log: Log;
}

/** What is the same at every gateway, so that the next one need not be asked. */
const SAME_EVERYWHERE: ReadonlySet<FaultKind> = new Set(["refused", "mismatch", "ordered", "too-large"]);
/** What is no fault of the gateway's, so that it keeps its place. */
const NOT_ITS_FAULT: ReadonlySet<FaultKind> = new Set([...SAME_EVERYWHERE, "access"]);
/** Of several faults the one that says most about what to do. */
const TELLING: readonly FaultKind[] = [...SAME_EVERYWHERE, "access", "timeout", "unavailable", "undeployed", "tls"];

/** The fault of several gateways together. Who does not answer must not hide what the others say of the caller. */
function mostTelling(faults: readonly Fault[]): Fault {
  const found = TELLING.map((kind) => faults.find((fault) => fault.kind === kind));
  return found.find((fault) => fault !== undefined) as Fault;
}

/** Whether to ask no other gateway. A commit that is not seen in time has to be looked up first. */
function isLast({ kind, phase }: Fault): boolean {
  return SAME_EVERYWHERE.has(kind) || (phase === "commit" && kind === "timeout");
}

/**
 * Does something at the first gateway that can.
 * @param gateways at least one, in the order of preference; those that failed lately are asked last.
 */
export async function failover<T>(
  phase: Phase,
  gateways: readonly GatewayPort[],
  action: (gateway: GatewayPort) => Promise<T>,
  { standing, log }: FailoverModules,
): Promise<Attempt<T>> {
  const faults: Fault[] = [];
  for (const gateway of standing.ordered(gateways)) {
    try {
      const value = await action(gateway);
      standing.worked(gateway.msp);
      return { ok: true, value, gateway: gateway.msp };
    } catch (error) {
      const fault = faultOf(phase, gateway.msp, error);
      faults.push(fault);
      if (!NOT_ITS_FAULT.has(fault.kind)) {
        standing.failed(gateway.msp);
        log("warn", "gateway-failed", { phase, gateway: gateway.msp, kind: fault.kind, said: fault.said });
      }
      if (isLast(fault)) break;
    }
  }
  return { ok: false, fault: mostTelling(faults), faults };
}
