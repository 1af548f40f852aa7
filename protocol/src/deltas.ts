import { monthOf } from "./calendar.js";
import type { Difference } from "./difference.js";
import { isVeilgridError } from "./errors.js";
import { ruledBy } from "./examined.js";
import type { BillLedger } from "./finding.js";
import type { BillReport, ReportDelta } from "./report.js";
import { type BilledMonth, type Correction, billedMonthOf, deltaNano } from "./settlement.js";

/** A month's bill of the same customer, with its month's prices. */
export interface EarlierBill {
  readonly report: BillReport;
  readonly ledger: Pick<BillLedger, "price">;
}

/** The customer's other bills, by month: `none` where the ledger names none, `absent` where it is not at hand. */
export type EarlierBills = (month: number) => Promise<EarlierBill | "none" | "absent">;

/** How far deltas could be checked. */
export interface DeltaChecks {
  readonly differences: readonly Difference[];
  /** The months ("YYYY-MM") whose deltas could not be recomputed, because a bill is not at hand. */
  readonly unchecked: readonly string[];
}

/** A month that is corrected, with what was settled of it before. */
interface Basis {
  readonly bill: EarlierBill;
  readonly before: readonly ReportDelta[];
}

function ofMonth(month: string, deltas: readonly ReportDelta[]): ReportDelta[] {
  return deltas.filter((delta) => delta.month === month);
}

/** What the ith delta corrects; undefined where one of the bills since is not at hand. */
async function basisOf(
  report: BillReport,
  i: number,
  own: EarlierBill,
  earlier: EarlierBills,
): Promise<Basis | undefined> {
  const { month } = report.deltas[i] as ReportDelta;
  const here = ofMonth(month, report.deltas.slice(0, i));
  if (month === report.month) return { bill: own, before: here };
  const bill = await earlier(monthOf(month));
  if (bill === "none" || bill === "absent") return undefined;
  const before = ofMonth(month, bill.report.deltas);
  for (let at = monthOf(month) + 1; at < monthOf(report.month); at += 1) {
    const between = await earlier(at);
    if (between === "absent") return undefined;
    if (between !== "none") before.push(...ofMonth(month, between.report.deltas));
  }
  return { bill, before: [...before, ...here] };
}

/** The corrections of a delta, with the prices of what no epoch covers. */
async function correctionsOf({ k: ks, settledWh }: ReportDelta, bill: EarlierBill): Promise<Correction[]> {
  const { report, ledger } = bill;
  const corrections: Correction[] = [];
  for (const [i, k] of ks.entries()) {
    const region = ruledBy(report).find(({ leaf, end }) => leaf.first <= k && k < end)?.leaf.epoch.region;
    const priced = report.columns.priceMicro[k - report.supply.from] !== null;
    const price =
      priced || region === undefined ? undefined : await ledger.price(region, { month: monthOf(report.month), k });
    corrections.push({ k, wh: BigInt(settledWh[i] as number), price });
  }
  return corrections;
}

/** What of a delta is not what the bills say: periods that were billed otherwise. */
function billedOtherwise({ month, k: ks, billedWh }: ReportDelta, { report }: EarlierBill): Difference[] {
  return ks.flatMap((k, i) => {
    const [due, said] = [report.columns.consumptionWh[k - report.supply.from], billedWh[i]];
    if (due === said) return [];
    const what = `period ${k} of ${month}, as it was billed in Wh`;
    return [{ code: "wrong-delta", what, ledger: String(due ?? "none"), report: String(said) } satisfies Difference];
  });
}

function recomputed(billed: BilledMonth, before: readonly Correction[], now: readonly Correction[]): string {
  try {
    return deltaNano(billed, before, now).toString();
  } catch (error) {
    if (isVeilgridError(error)) return error.message;
    throw error;
  }
}

async function checkDelta(delta: ReportDelta, { bill, before }: Basis): Promise<Difference[]> {
  const settled: Correction[] = [];
  for (const one of before) settled.push(...(await correctionsOf(one, bill)));
  const due = recomputed(billedMonthOf(bill.report), settled, await correctionsOf(delta, bill));
  const differences = billedOtherwise(delta, bill);
  if (due === delta.nano) return differences;
  const what = `the settlement of ${delta.month} in nano-units`;
  return [...differences, { code: "wrong-delta", what, ledger: due, report: delta.nano }];
}

/**
 * Recomputes a bill's deltas from the customer's other bills: each "the month recomputed minus the month billed", with all
 * that was settled before. Which values are settled is the meter's own word, and no ledger says anything of them.
 */
export async function checkDeltas(report: BillReport, ledger: BillLedger, earlier: EarlierBills): Promise<DeltaChecks> {
  const differences: Difference[] = [];
  const unchecked = new Set<string>();
  for (const [i, delta] of report.deltas.entries()) {
    const basis = await basisOf(report, i, { report, ledger }, earlier);
    if (basis === undefined) unchecked.add(delta.month);
    else differences.push(...(await checkDelta(delta, basis)));
  }
  return { differences, unchecked: [...unchecked] };
}
