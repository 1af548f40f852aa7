import { fromHex } from "./bytes.js";
import { monthOf } from "./calendar.js";
import type { Difference } from "./difference.js";
import type { Examined } from "./examined.js";
import type { BillLedger, ReadingState } from "./finding.js";
import { caseRef } from "./messages/hashes.js";
import type { Verdict } from "./messages/verdict.js";
import type { BillReport } from "./report.js";

/** How many meters of a sort a verdict counts; none of those that are no fault. */
const COUNTED: Readonly<Record<ReadingState, (verdict: Verdict) => number>> = {
  complete: () => 0,
  silent: ({ silent }) => silent,
  half: ({ orphan }) => orphan,
  repeated: ({ conflict }) => conflict,
  implausible: ({ implausible }) => implausible,
};

/** What the ledger says against a charge, if it says anything. */
function objection(state: ReadingState | undefined, verdict: Verdict | undefined): string | undefined {
  if (state === undefined) return "the meter was not due";
  if (state === "complete") return "a complete reading";
  return verdict !== undefined && COUNTED[state](verdict) === 0 ? `a verdict that counts no ${state} meter` : undefined;
}

/** "A penalty needs the case's verdict on the ledger, counting a meter of that sort": each one that does not hold. */
export async function checkPenalties(
  report: BillReport,
  examined: readonly Examined[],
  ledger: BillLedger,
): Promise<Difference[]> {
  if (report.penalties === undefined) return [];
  const { caseKey, k: ks, caseId } = report.penalties;
  const differences: Difference[] = [];
  for (const [i, k] of ks.entries()) {
    const { region, state } = examined[k - report.supply.from] as Examined;
    const ref = caseRef(fromHex(caseKey), fromHex(caseId[i] as string));
    const verdict = await ledger.verdict(region, { month: monthOf(report.month), k }, ref);
    const due = objection(state, verdict);
    const place = { k, what: "the penalty for a fault", report: "charged" };
    if (due !== undefined) differences.push({ code: "penalty-without-fault", ...place, ledger: due });
    else if (verdict === undefined)
      differences.push({ code: "no-verdict", ...place, ledger: "no verdict on the case" });
  }
  return differences;
}
