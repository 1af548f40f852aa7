import type { ConsortiumShape } from "./shape.js";
import { freePorts } from "./ports.js";

/** Where an organisation's service listens. */
export interface Place {
  /** For meters; CC has nobody to serve there. */
  readonly meters: number;
  /** For other organisations. */
  readonly organisations: number;
  /** For its operator: /metrics, /health. */
  readonly http: number;
}

/** Where everybody listens. */
export interface Places {
  readonly host: string;
  readonly das: readonly Place[];
  readonly cc: Place;
  readonly kgcbp: Place;
  readonly ledger: { readonly listen: number; readonly http: number };
  readonly fleet: { readonly http: number };
}

/** Chooses ports that are free now. @throws VeilgridError `port-taken`. */
export async function choosePlaces({ das, host, basePort }: ConsortiumShape): Promise<Places> {
  const ports = await freePorts(host, basePort, 3 * (das + 2) + 3);
  const next = (): number => ports.shift() as number;
  const place = (): Place => ({ meters: next(), organisations: next(), http: next() });
  return {
    host,
    das: Array.from({ length: das }, place),
    cc: place(),
    kgcbp: place(),
    ledger: { listen: next(), http: next() },
    fleet: { http: next() },
  };
}
