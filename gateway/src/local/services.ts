import { join } from "node:path";
import type { Overview } from "./overview.js";
import type { ProcessPlan } from "./supervisor.js";

/** A service of a consortium of one machine. */
export interface ServicePlan extends ProcessPlan {
  /** Where its /metrics and /health are. */
  readonly http: number;
}

/** Milliseconds of the machine that a bundle of readings is open; and for which a meter waits for a receipt. */
const BUNDLE = 40;
const PATIENCE = 4000;
/** The most that a configuration takes, in the consortium's time. */
const LONGEST_BUNDLE = 60_000;
/** A meter whose aggregator is gone has the time to ask others: so many in a window. */
const ASKED = 4;

function plan(folder: string, name: string, command: readonly string[], file: string, http: number): ServicePlan {
  const own = join(folder, name);
  return {
    name,
    args: [...command, "--config", join(own, file)],
    log: join(own, "log.jsonl"),
    isEndless: true,
    http,
  };
}

/** The embedded ledger's service; none where the ledger is Fabric's. */
export function ledgerPlan({ ledger, places }: Overview, folder: string): ServicePlan | undefined {
  if (ledger === "fabric") return undefined;
  return plan(folder, "ledger", ["ledger", "serve"], "ledger.yaml", places.ledger.http);
}

/** The organisations' services. */
export function rolePlans({ places }: Overview, folder: string, factor: number): readonly ServicePlan[] {
  const bundle = Math.min(LONGEST_BUNDLE, Math.round(BUNDLE * factor));
  const environment = { VEILGRID_LIMITS_BUNDLE_MS: String(bundle) };
  return [
    ...places.das.map(({ http }, i) => ({ ...plan(folder, `da${i}`, ["da", "serve"], "da.yaml", http), environment })),
    plan(folder, "cc", ["cc", "serve"], "cc.yaml", places.cc.http),
    plan(folder, "kgcbp", ["kgcbp", "serve"], "kgcbp.yaml", places.kgcbp.http),
  ];
}

/** All meters. @param window in which a period's readings are taken, seconds of the consortium's time. */
export function fleetPlan({ places }: Overview, folder: string, factor: number, window: number): ServicePlan {
  const seconds = Math.ceil(Math.min(window / ASKED, (PATIENCE * factor) / 1000));
  const environment = { VEILGRID_PATIENCE_SECONDS: String(seconds) };
  return { ...plan(folder, "meters", ["fleet"], "fleet.yaml", places.fleet.http), environment };
}
