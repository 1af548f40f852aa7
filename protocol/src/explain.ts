import { toHex } from "./bytes.js";
import { monthOf, periodStart } from "./calendar.js";
import { VeilgridError } from "./errors.js";
import { isEliminated, ruledBy } from "./examined.js";
import {
  type BillLedger,
  type Finding,
  type PeriodFacts,
  type PeriodKeys,
  findReading,
  periodKeys,
} from "./finding.js";
import { H3, sha256 } from "./hash.js";
import { type BillReport, QUALITY_CODES, seedsOf } from "./report.js";

import type { Quality } from "./bill.js";

/** Why a period's figures are what they are: for the customer alone, whose seeds open it. */
export interface PeriodExplanation {
  readonly k: number;
  /** Unix milliseconds. */
  readonly start: number;
  readonly region: number;
  /** As the report says. */
  readonly quality: Quality;
  /** Whether the ledger has a complete reading of it: only then it is measured. */
  readonly complete: boolean;
  /** One sentence on what the ledger has. */
  readonly because: string;
  readonly halves: readonly [HalfExplanation, HalfExplanation];
  /** Signed Wh that both halves open to; undefined unless each is there once. */
  readonly openedWh: bigint | undefined;
  /** The price on the ledger in micro-units per kWh; undefined where there is none. */
  readonly ledgerPrice: bigint | undefined;
  /** As billed: signed Wh, micro-units per kWh, nano-units. */
  readonly billedWh: number;
  readonly priceMicro: string | null;
  readonly costNano: string;
  readonly tierNano: string | undefined;
  /** What the fault in the period is charged with, in nano-units. */
  readonly penaltyNano: string | undefined;
}

/** One half-reading. */
export interface HalfExplanation {
  /** The first 8 hex digits of SHA-256(PRID): enough to tell the halves apart, too little to find them. */
  readonly prid: string;
  /** The masked values on the ledger, elements of Z_2^64. */
  readonly rc: readonly bigint[];
  /** The half's mask H3(z). */
  readonly mask: bigint;
}

const SENTENCES = {
  complete: "both halves are on the ledger, once each",
  silent: "no half of the reading is on the ledger",
  half: "only one half of the reading is on the ledger",
  repeated: "a half of the reading is on the ledger twice with different values, so it counts nowhere",
  implausible: "the reading is beyond the bound of a period",
} as const;

const NOTHING: Finding = { state: "silent", rc: [], rc2: [] };

function opened(facts: PeriodFacts | undefined, keys: PeriodKeys, eliminated: boolean): [Finding, string] {
  if (facts === undefined) return [NOTHING, "no epoch covers the period, so that no reading of it was taken"];
  if (eliminated) return [NOTHING, "the meter was eliminated, so that no reading of it was taken"];
  const finding = findReading(keys, facts);
  return [finding, SENTENCES[finding.state]];
}

/**
 * Explains period k of a bill from the report and the ledger: what is there, how it opens, and what it was billed at.
 * @throws VeilgridError `not-in-supply` for a period that the bill does not cover.
 */
export async function explainPeriod(report: BillReport, k: number, ledger: BillLedger): Promise<PeriodExplanation> {
  const rule = ruledBy(report).find(({ leaf, end }) => leaf.first <= k && k < end);
  if (rule === undefined) {
    const facts = { k, from: report.supply.from, to: report.supply.to };
    const sentence = `the bill does not cover period ${k}, only ${facts.from} to ${facts.to - 1}`;
    throw new VeilgridError("not-in-supply", sentence, { facts, blame: "caller" });
  }
  const { region } = rule.leaf.epoch;
  const period = { month: monthOf(report.month), k };
  const [keys] = periodKeys(seedsOf(rule.leaf), k, 1) as [PeriodKeys];
  const facts = await ledger.period(region, period);
  const [finding, because] = opened(facts, keys, isEliminated(report, k));
  const { columns } = report;
  const at = k - report.supply.from;
  const half = (prid: Uint8Array, rc: readonly bigint[], z: Uint8Array): HalfExplanation => ({
    prid: toHex(sha256(prid)).slice(0, 8),
    rc,
    mask: H3(z),
  });
  return {
    k,
    start: periodStart(period, report.periodSeconds),
    region,
    quality: QUALITY_CODES[columns.quality[at] as number] as Quality,
    complete: finding.state === "complete",
    because,
    halves: [half(keys.prid, finding.rc, keys.z), half(keys.prid2, finding.rc2, keys.z2)],
    openedWh: finding.consumption,
    ledgerPrice: facts?.price,
    billedWh: columns.consumptionWh[at] as number,
    priceMicro: columns.priceMicro[at] as string | null,
    costNano: columns.costNano[at] as string,
    tierNano: columns.tierNano?.[at],
    penaltyNano: report.penalties?.k.includes(k) === true ? report.tariff.faultPenalty : undefined,
  };
}
