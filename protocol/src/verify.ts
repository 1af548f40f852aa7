import { computeBill } from "./bill.js";
import { equalBytes, fromHex, toHex } from "./bytes.js";
import { monthOf } from "./calendar.js";
import { type EarlierBills, checkDeltas } from "./deltas.js";
import type { Difference, DifferenceCode } from "./difference.js";
import { type Examined, examineAll } from "./examined.js";
import type { BillLedger } from "./finding.js";
import { verifyPath } from "./merkle.js";
import { checkPenalties } from "./penalties.js";
import { type BillReport, QUALITY_CODES, type SeedLeaf, seedsOf } from "./report.js";
import { type ReportFigures, figuresOf } from "./reportdraft.js";
import { seedLeafHash } from "./seedleaf.js";
import { parseTariff } from "./tariff.js";

/** A bill's verification: without differences it is verified. The first difference is the one to look at. */
export interface Verification {
  readonly differences: readonly Difference[];
  /** The bill as it follows from the ledger and the customer's seeds. */
  readonly figures: ReportFigures;
  /** The months ("YYYY-MM") whose deltas could not be recomputed, because a bill is not at hand. */
  readonly uncheckedDeltas: readonly string[];
}

/** Of a customer who has no other bill at hand. */
const NO_OTHERS: EarlierBills = () => Promise.resolve("absent");

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
  const { periodSeconds, penalties, supply } = report;
  const faults = penalties?.k.length ?? 0;
  const input = { tariff, periodSeconds, from: supply.from, readings, prices, faults, deltas };
  return figuresOf(computeBill(input), prices, tariff);
}

/**
 * Recomputes a bill from the ledger (PROTOCOL section 4, Dynamic billing): the seeds against the committed roots, then
 * each period's PRIDs, readings, masks, c_k, price and cost, the lines and the total. Deltas are recomputed from the bills
 * that they correct, as far as those are at hand; the values that they settle come from the meter's own log. `report` is
 * as parseReport gave it.
 */
export async function verifyBill(
  report: BillReport,
  ledger: BillLedger,
  earlier: EarlierBills = NO_OTHERS,
): Promise<Verification> {
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
  differences.push(...(await checkPenalties(report, examined, ledger)));
  for (const compare of [compareColumns, compareLines, compareTotal, compareFeedback]) {
    differences.push(...compare(figures, report));
  }
  const deltas = await checkDeltas(report, ledger, earlier);
  differences.push(...deltas.differences);
  return { differences, figures, uncheckedDeltas: deltas.unchecked };
}
