import {
  addPeriods,
  monthOf,
  paramsDefaults,
  periodStart,
  periodsInMonth,
  VeilgridError,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { LedgerKind } from "../world/plan.js";

/** What of the parameter set is chosen here; the rest are its defaults. */
export type ParamsChoice = Partial<
  Omit<Params, "version" | "channel" | "da" | "cc" | "kgcbp" | "periodSeconds" | "maxRegionMeters">
>;

/** A consortium that is to be made on one machine. */
export interface ConsortiumShape {
  /** Number of data aggregators. */
  readonly das: number;
  readonly regions: number;
  /** Number of meters; meter i is in region 1 + i mod `regions`. */
  readonly meters: number;
  readonly periodSeconds: 900 | 1800;
  /** The first period of every meter's supply. */
  readonly first: Period;
  /** How many periods the supply has; undefined: it does not end. */
  readonly periods: number | undefined;
  /** As --price of a run. */
  readonly price: string;
  /** IANA time zone of the bills. */
  readonly timezone: string;
  readonly params: ParamsChoice;
  readonly ledger: { readonly kind: "embedded" } | { readonly kind: "fabric"; readonly profile: string };
  /** Host that services listen on and are called by. */
  readonly host: string;
  /** The first of the ports that services listen on, one after the other; 0 for any that are free. */
  readonly basePort: number;
}

/**
 * Windows of a time-lapse. What takes seconds of the machine takes minutes of its time: the defaults of real time would
 * leave some 30 ms for a round at a factor of 300.
 */
export const TIME_LAPSE: ParamsChoice = Object.freeze({
  submissionWindow: 600,
  forwardSeconds: 300,
  roundSeconds: 120,
  releaseSeconds: 7200,
  maxSkewMs: 120_000,
});

/** The last `count` periods of a month ("2026-03"), so that its bills are due when they are over. */
export function lastPeriodsOf(month: string, count: number, periodSeconds: number): Period {
  const number = monthOf(month);
  const all = periodsInMonth(number, periodSeconds);
  if (count > all) throw cannot(`${month} has ${all} periods`, "periods", count);
  return { month: number, k: all - count };
}

/** The period after the last one of a shape's supply. */
export function endOf({ first, periods, periodSeconds }: ConsortiumShape): Period | undefined {
  return periods === undefined ? undefined : addPeriods(first, periods, periodSeconds);
}

/** When the first period of a shape begins, Unix milliseconds. */
export function startOf({ first, periodSeconds }: ConsortiumShape): number {
  return periodStart(first, periodSeconds);
}

/** Which ledger a shape asks for. */
export function ledgerOf({ ledger }: ConsortiumShape): LedgerKind {
  return ledger.kind;
}

/**
 * Refuses what cannot be.
 * @throws VeilgridError `impossible-consortium`.
 */
export function requirePossible({ das, regions, meters, params, ledger }: ConsortiumShape): void {
  if (das < 1 || das > 100) throw cannot("from 1 to 100 aggregators are possible", "das", das);
  if (regions < 1 || regions > meters) throw cannot("each region has a meter at least", "regions", regions);
  const fewest = Math.floor(meters / regions);
  const least = params.minReleaseMeters ?? paramsDefaults.minReleaseMeters;
  if (fewest < least) {
    throw cannot(`a region of ${fewest} meters never has its sum released: ${least} are needed`, "meters", meters);
  }
  if (Math.ceil(meters / regions) > 5000) throw cannot("a region has 5000 meters at most", "regions", regions);
  if (ledger.kind === "fabric" && das < 4) throw cannot("a Fabric network here has four aggregators", "das", das);
}

function cannot(why: string, what: string, value: number): VeilgridError {
  return new VeilgridError("impossible-consortium", `${what} ${value}: ${why}`, {
    facts: { what, value },
    blame: "caller",
  });
}
