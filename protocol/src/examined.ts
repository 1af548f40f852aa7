import { monthOf } from "./calendar.js";
import type { Difference } from "./difference.js";
import {
  type BillLedger,
  type PeriodFacts,
  type PeriodKeys,
  type ReadingState,
  findReading,
  periodKeys,
} from "./finding.js";
import { type BillReport, type SeedLeaf, seedsOf } from "./report.js";

/** A leaf with the periods that it rules, [first, end). */
export interface Rule {
  readonly leaf: SeedLeaf;
  readonly end: number;
}

/** "period k is ruled by the leaf with the greatest first <= k" (PROTOCOL section 4, Dynamic billing). */
export function ruledBy({ seedLeaves, supply }: BillReport): Rule[] {
  return seedLeaves.map((leaf, i) => ({ leaf, end: seedLeaves[i + 1]?.first ?? supply.to }));
}

/** What the ledger gives one period: reading, price, and what is wrong with it there. */
export interface Examined {
  readonly k: number;
  readonly region: number;
  /** Undefined where the meter was not expected to send anything. */
  readonly state: ReadingState | undefined;
  readonly reading: bigint | undefined;
  readonly price: bigint | undefined;
  readonly differences: readonly Difference[];
}

/** "`excluded` names every PRID in the block whose meter is not complete", and no other. */
function checkExcluded(k: number, prid: Uint8Array, complete: boolean, facts: PeriodFacts): Difference[] {
  const present = facts.readings(prid).length > 0;
  const excluded = facts.excluded?.(prid);
  if (excluded === undefined || !present || excluded === !complete) return [];
  const code = complete ? "wrongly-excluded" : "not-excluded";
  const said = (is: boolean): string => (is ? "excluded" : "counted");
  return [{ code, k, what: "a half-reading in the mask release", ledger: said(excluded), report: said(!complete) }];
}

/** "and its PRIDs must pass BF1" */
function checkListed(k: number, prid: Uint8Array, facts: PeriodFacts): Difference[] {
  if (facts.pridListed?.(prid) !== false) return [];
  return [{ code: "prid-not-listed", k, what: "a PRID of the seeds", ledger: "not in BF1", report: "the meter's" }];
}

/** "in them not both of the meter's PRIDs pass BF1" */
function checkEliminated(k: number, keys: PeriodKeys, facts: PeriodFacts): Difference[] {
  const listed = [keys.prid, keys.prid2].every((prid) => facts.pridListed?.(prid) === true);
  if (!listed) return [];
  return [{ code: "not-eliminated", k, what: "the PRIDs of the seeds", ledger: "in BF1", report: "eliminated" }];
}

/** A period, in the report's month, with the keys that rule it and what the report says of the meter in it. */
interface Place {
  readonly k: number;
  readonly region: number;
  readonly keys: PeriodKeys;
  readonly eliminated: boolean;
}

function examine({ k, region, keys, eliminated }: Place, facts: PeriodFacts | undefined): Examined {
  const at = { k, region };
  if (facts === undefined) {
    return { ...at, state: undefined, reading: undefined, price: undefined, differences: [] };
  }
  if (eliminated) {
    const differences = [...checkEliminated(k, keys, facts), ...checkPrice(k, facts)];
    return { ...at, state: undefined, reading: undefined, price: facts.price, differences };
  }
  const { state, consumption } = findReading(keys, facts);
  const complete = state === "complete";
  const differences = [keys.prid, keys.prid2].flatMap((prid) => [
    ...checkListed(k, prid, facts),
    ...checkExcluded(k, prid, complete, facts),
  ]);
  const { price } = facts;
  differences.push(...checkPrice(k, facts));
  return { ...at, state, reading: complete && price !== undefined ? consumption : undefined, price, differences };
}

function checkPrice(k: number, { price }: PeriodFacts): Difference[] {
  if (price !== undefined) return [];
  return [{ code: "no-price", k, what: "the period's price", ledger: "none committed", report: "a bill" }];
}

/** Whether the report says that the meter was eliminated in a period. */
export function isEliminated({ eliminated }: BillReport, k: number): boolean {
  return eliminated.some(({ from, to }) => from <= k && k < to);
}

/** What the ledger gives each period of a bill's supply, opened with the report's seeds. */
export async function examineAll(report: BillReport, ledger: BillLedger): Promise<Examined[]> {
  const month = monthOf(report.month);
  const examined: Examined[] = [];
  for (const { leaf, end } of ruledBy(report)) {
    for (const [i, keys] of periodKeys(seedsOf(leaf), leaf.first, end - leaf.first).entries()) {
      const k = leaf.first + i;
      const { region } = leaf.epoch;
      const place = { k, region, keys, eliminated: isEliminated(report, k) };
      examined.push(examine(place, await ledger.period(region, { month, k })));
    }
  }
  return examined;
}
