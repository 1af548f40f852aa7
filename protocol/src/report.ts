import { fromHex } from "./bytes.js";
import type { Quality } from "./bill.js";
import type { Seeds } from "./keys.js";
import type { TariffJson } from "./tariff.js";

/** The report's schema; the published JSON Schema is `schema/bill-report.schema.json`. */
export const REPORT_SCHEMA = "veilgrid/bill-report";
export const REPORT_VERSION = 1;

/** The codes of the quality column. */
export const QUALITY_CODES: readonly Quality[] = ["measured", "missing", "estimated", "no-epoch"];

/** Where in its month a supply lies: periods k with from <= k < to. */
export interface Supply {
  readonly from: number;
  readonly to: number;
}

/** The per-period columns; entry i is period `supply.from` + i. */
export interface ReportColumns {
  /** Signed Wh as billed. */
  readonly consumptionWh: readonly number[];
  /** The ledger's price in micro-units per kWh (decimal); null where no epoch covers the period. */
  readonly priceMicro: readonly (string | null)[];
  /** Consumption times price in nano-units (decimal). */
  readonly costNano: readonly string[];
  /** F(after) - F(before) of the block tariff in nano-units (decimal); absent for a tariff without tiers. */
  readonly tierNano?: readonly string[];
  /** Index into QUALITY_CODES. */
  readonly quality: readonly number[];
}

/** A line in exact nano-units and as shown in minor units (both decimal). */
export interface ReportLine {
  readonly name: string;
  readonly nano: string;
  readonly shown: string;
}

/** What the bill tells its reader at a glance; all of it follows from the columns and the tariff. */
export interface Feedback {
  /** Sum of the consumption column. */
  readonly energyWh: number;
  /** Periods by quality; those without an epoch are among the missing. */
  readonly measured: number;
  readonly missing: number;
  readonly estimated: number;
  /** Where the consumption lies to the tariff's threshold; absent for a tariff without adjustment. */
  readonly threshold?: "below" | "at" | "above";
}

/**
 * Faults that the customer's meter is charged for. With the case key and a case's id anyone finds the case's `ref` in the
 * ledger's verdict of that period (`caseRef`); nobody who is not told them does.
 */
export interface ReportPenalties {
  /** The month's case key, 32 bytes. */
  readonly caseKey: string;
  /** The periods, ascending. */
  readonly k: readonly number[];
  /** The case of each, 16 bytes. */
  readonly caseId: readonly string[];
}

/** A month settled, an earlier one unless it is the customer's last: periods whose consumption became known, and what the month changes by. */
export interface ReportDelta {
  /** "YYYY-MM" of the month that is corrected. */
  readonly month: string;
  /** Why, for the customer. */
  readonly reason: string;
  /** The corrected periods, ascending. */
  readonly k: readonly number[];
  /** Their consumption as billed and as settled, in signed Wh. */
  readonly billedWh: readonly number[];
  readonly settledWh: readonly number[];
  /** The month recomputed minus the month billed, in nano-units (decimal): the line delta/i. */
  readonly nano: string;
}

/** One of the customer's own leaves: seeds that KGCBP was bound to before they were used. */
export interface SeedLeaf {
  /** The epoch block whose seed root has the leaf; its number is decimal. */
  readonly epoch: { readonly region: number; readonly number: string };
  /** The first period, in the report's month, that the leaf rules. */
  readonly first: number;
  /** s, s', r, r', each 32 bytes in hex. */
  readonly seeds: { readonly s0: string; readonly s1: string; readonly r0: string; readonly r1: string };
  /** Path to the root (RFC 6962): the leaf's index, the number of leaves, hashes from the sibling upwards. */
  readonly path: { readonly index: number; readonly count: number; readonly hashes: readonly string[] };
}

/**
 * A bill's report as its canonical JSON has it (PROTOCOL section 4, Dynamic billing). Integers that can pass 2^53 are
 * decimal strings, bytes are lower-case hex.
 */
export interface BillReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly version: typeof REPORT_VERSION;
  /** The consortium id, 32 bytes. */
  readonly consortium: string;
  /** The customer at one meter, 16 bytes. */
  readonly bid: string;
  /** The billing month in UTC, "YYYY-MM". */
  readonly month: string;
  readonly supply: Supply;
  readonly periodSeconds: number;
  /** The zone that times are shown in: an IANA name. */
  readonly timeZone: string;
  readonly tariff: TariffJson;
  readonly columns: ReportColumns;
  /** The spans in which the meter was eliminated: its PRIDs are in no filter. Ascending, apart, within the supply. */
  readonly eliminated: readonly Supply[];
  /** There with the tariff's faultPenalty. */
  readonly penalties?: ReportPenalties;
  readonly lines: readonly ReportLine[];
  /** Minor units (decimal). */
  readonly total: string;
  readonly feedback: Feedback;
  /** Oldest first. */
  readonly deltas: readonly ReportDelta[];
  /** Ascending by `first`; period k is ruled by the leaf with the greatest first <= k. */
  readonly seedLeaves: readonly SeedLeaf[];
}

/** A leaf's seeds as bytes. @throws VeilgridError `malformed` for anything but lower-case hex. */
export function seedsOf({ seeds }: SeedLeaf): Seeds {
  return { s0: fromHex(seeds.s0), s1: fromHex(seeds.s1), r0: fromHex(seeds.r0), r1: fromHex(seeds.r1) };
}
