import { computeBill } from "./bill.js";
import { equalBytes, fromHex, toHex } from "./bytes.js";
import { monthOf } from "./calendar.js";
import { type BillLedger, type PeriodFacts, type PeriodKeys, findReading, periodKeys } from "./finding.js";
import { verifyPath } from "./merkle.js";
import { type BillReport, QUALITY_CODES, type SeedLeaf, seedsOf } from "./report.js";
import { type ReportFigures, figuresOf } from "./reportdraft.js";
import { seedLeafHash } from "./seedleaf.js";
import { parseTariff } from "./tariff.js";

/** What can be wrong with a bill, by name. */
export type DifferenceCode =
  | "wrong-consortium"
  | "unknown-epoch"
  | "wrong-first-period"
  | "seeds-not-committed"
  | "prid-not-listed"
  | "wrongly-excluded"
  | "not-excluded"
  | "no-price"
  | "wrong-quality"
  | "wrong-consumption"
  | "wrong-price"
  | "wrong-cost"
  | "wrong-tier-cost"
  | "wrong-line"
  | "wrong-total"
  | "wrong-feedback";

/** One place where a bill and the ledger disagree. */
export interface Difference {
  readonly code: DifferenceCode;
  /** The period of the bill's month, where it is about one. */
  readonly k?: number;
  /** What is different, for people. */
  readonly what: string;
  /** What follows from the ledger, and what the report says. */
  readonly ledger: string;
  readonly report: string;
}

/** A bill's verification: without differences it is verified. The first difference is the one to look at. */
export interface Verification {
  readonly differences: readonly Difference[];
  /** The bill as it follows from the ledger and the customer's seeds. */
  readonly figures: ReportFigures;
}

/** A leaf with the periods that it rules, [first, end). */
export interface Rule {
  readonly leaf: SeedLeaf;
  readonly end: number;
}

/** "period k is ruled by the leaf with the greatest first <= k" (PROTOCOL section 4, Dynamic billing). */
export function ruledBy({ seedLeaves, supply }: BillReport): Rule[] {
  return seedLeaves.map((leaf, i) => ({ leaf, end: seedLeaves[i + 1]?.first ?? supply.to }));
}

/** "seeds against the committed roots" */
async function checkLeaf(report: BillReport, leaf: SeedLeaf, ledger: BillLedger): Promise<Difference | undefined> {
  const { region, number } = leaf.epoch;
  const where = `epoch block ${number} of region ${region}`;
  const epoch = await ledger.epoch(region, BigInt(number));
  if (epoch === undefined) return { code: "unknown-epoch", what: where, ledger: "no such epoch", report: where };
  const first = { month: monthOf(report.month), k: leaf.first };
  if (epoch.first.month !== first.month || epoch.first.k !== first.k) {
    const what = `first period of ${where}`;
    return { code: "wrong-first-period", k: leaf.first, what, ledger: `${epoch.first.k}`, report: `${leaf.first}` };
  }
  const hash = seedLeafHash(fromHex(report.bid), first, seedsOf(leaf));
  const { index, count, hashes } = leaf.path;
  const path = hashes.map(fromHex);
  if (count === epoch.leaves && verifyPath(hash, index, count, path, epoch.seedRoot)) return undefined;
  const what = `the seeds under the root of ${where}`;
  return { code: "seeds-not-committed", k: leaf.first, what, ledger: toHex(epoch.seedRoot), report: "another root" };
}

/** The reading and the price that the ledger gives one period, and what is wrong with it there. */
interface Examined {
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

function examine(k: number, keys: PeriodKeys, facts: PeriodFacts | undefined): Examined {
  if (facts === undefined) return { reading: undefined, price: undefined, differences: [] };
  const { state, consumption } = findReading(keys, facts);
  const complete = state === "complete";
  const differences = [keys.prid, keys.prid2].flatMap((prid) => [
    ...checkListed(k, prid, facts),
    ...checkExcluded(k, prid, complete, facts),
  ]);
  const { price } = facts;
  if (price === undefined) {
    differences.push({ code: "no-price", k, what: "the period's price", ledger: "none committed", report: "a bill" });
  }
  return { reading: complete && price !== undefined ? consumption : undefined, price, differences };
}

async function examineAll(report: BillReport, ledger: BillLedger): Promise<Examined[]> {
  const month = monthOf(report.month);
  const examined: Examined[] = [];
  for (const { leaf, end } of ruledBy(report)) {
    for (const [i, keys] of periodKeys(seedsOf(leaf), leaf.first, end - leaf.first).entries()) {
      const k = leaf.first + i;
      examined.push(examine(k, keys, await ledger.period(leaf.epoch.region, { month, k })));
    }
  }
  return examined;
}

type Cell = string | number | null | undefined;

/** The named differences of a column, from the top: `from` is the first entry's period. */
function compareColumn(
  code: DifferenceCode,
  from: number,
  ledger: readonly Cell[],
  report: readonly Cell[],
  words: { readonly what: string; readonly of?: (cell: Cell) => string },
): Difference[] {
  const show = words.of ?? ((cell: Cell): string => String(cell ?? "none"));
  return ledger.flatMap((cell, i) => {
    if (cell === report[i]) return [];
    return [{ code, k: from + i, what: words.what, ledger: show(cell), report: show(report[i]) }];
  });
}

function compareColumns({ columns: ledger }: ReportFigures, { columns: report, supply }: BillReport): Difference[] {
  const { from } = supply;
  const quality = (cell: Cell): string => QUALITY_CODES[Number(cell)] as string;
  return [
    ...compareColumn("wrong-quality", from, ledger.quality, report.quality, { what: "the quality", of: quality }),
    ...compareColumn("wrong-consumption", from, ledger.consumptionWh, report.consumptionWh, {
      what: "the consumption in Wh",
    }),
    ...compareColumn("wrong-price", from, ledger.priceMicro, report.priceMicro, {
      what: "the price in micro-units per kWh",
    }),
    ...compareColumn("wrong-cost", from, ledger.costNano, report.costNano, { what: "the cost in nano-units" }),
    ...compareColumn("wrong-tier-cost", from, ledger.tierNano ?? [], report.tierNano ?? [], {
      what: "the block tariff's cost in nano-units",
    }),
  ];
}

function compareLines({ lines: ledger }: ReportFigures, { lines: report }: BillReport): Difference[] {
  const count = Math.max(ledger.length, report.length);
  return Array.from({ length: count }, (_, i) => [ledger[i], report[i]] as const).flatMap(([due, said]) => {
    const show = (line: typeof due): string => (line ? `${line.name}: ${line.nano} nano, shown ${line.shown}` : "none");
    if (show(due) === show(said)) return [];
    const what = `the line ${due?.name ?? said?.name ?? ""}`;
    return [{ code: "wrong-line", what, ledger: show(due), report: show(said) } satisfies Difference];
  });
}

function compareFeedback({ feedback: ledger }: ReportFigures, { feedback: report }: BillReport): Difference[] {
  const names = ["energyWh", "measured", "missing", "estimated", "threshold"] as const;
  return names.flatMap((name) => {
    if (ledger[name] === report[name]) return [];
    const [due, said] = [ledger[name] ?? "none", report[name] ?? "none"].map(String) as [string, string];
    return [{ code: "wrong-feedback", what: `the feedback's ${name}`, ledger: due, report: said } satisfies Difference];
  });
}

function compareTotal({ total: ledger }: ReportFigures, { total: report }: BillReport): Difference[] {
  if (ledger === report) return [];
  return [{ code: "wrong-total", what: "the total in minor units", ledger, report }];
}

function recompute(report: BillReport, examined: readonly Examined[]): ReportFigures {
  const tariff = parseTariff(report.tariff);
  const prices = examined.map(({ price }) => price);
  const readings = examined.map(({ reading }) => reading);
  const deltas = report.deltas.map(({ nano }) => BigInt(nano));
  const { periodSeconds } = report;
  return figuresOf(computeBill({ tariff, periodSeconds, readings, prices, deltas }), prices, tariff);
}

/**
 * Recomputes a bill from the ledger (PROTOCOL section 4, Dynamic billing): the seeds against the committed roots, then
 * each period's PRIDs, readings, masks, c_k, price and cost, the lines and the total. Deltas are taken as the report
 * states them: they come from the meter's own log. `report` is as parseReport gave it.
 */
export async function verifyBill(report: BillReport, ledger: BillLedger): Promise<Verification> {
  const differences: Difference[] = [];
  const consortium = toHex(ledger.consortium);
  if (!equalBytes(fromHex(report.consortium), ledger.consortium)) {
    const what = "the consortium";
    differences.push({ code: "wrong-consortium", what, ledger: consortium, report: report.consortium });
  }
  for (const leaf of report.seedLeaves) {
    const difference = await checkLeaf(report, leaf, ledger);
    if (difference !== undefined) differences.push(difference);
  }
  const examined = await examineAll(report, ledger);
  const figures = recompute(report, examined);
  differences.push(...examined.flatMap((period) => period.differences));
  for (const compare of [compareColumns, compareLines, compareTotal, compareFeedback]) {
    differences.push(...compare(figures, report));
  }
  return { differences, figures };
}
