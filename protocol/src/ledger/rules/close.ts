import { monthStart } from "../../calendar.js";
import { closeCodec } from "../../messages/close.js";
import { stateKey } from "../keys.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { requireMonthOver } from "./bills.js";
import { issuedBodies, requireAscending, type Rule, type RuleInput } from "./rule.js";

/** Close deletes a region-month's bulk values from the state; headers, roots, sums and prices stay. */
export const closeRule: Rule = async (input) => {
  const { view, current } = input;
  const closes = issuedBodies(input, "close", closeCodec, current.kgcbp.key);
  requireAscending(closes, (a, b) => a.region - b.region || a.month - b.month);
  const writes: StateWrite[] = [];
  for (const { region, month } of closes) {
    await checkDue(input, region, month);
    writes.push({ key: stateKey.close(region, month), value: new Uint8Array([1]) });
    writes.push(...(await bulkDeletions(view, region, month)));
  }
  return { writes };
};

async function checkDue({ view, block, current }: RuleInput, region: number, month: number): Promise<void> {
  const { ts } = block.header;
  requireMonthOver(ts, month, current);
  require((await view.epochs(region, month)).length > 0, "no-epoch", "the region has nothing in that month");
  require(await view.monthClosed(region, month), "month-open", "the region has not closed the month", {
    region,
    month,
  });
  require(!(await view.monthDeleted(region, month)), "month-closed", "the month's bulk values are already deleted");
  // Valid when `closeMonths` have passed by TS.
  const due = BigInt(monthStart(month + 1 + current.closeMonths));
  require(ts >= due, "too-early", "closeMonths have not passed", { month });
}

/** Keys are computed, not ranged over: a range read would make every later transaction of the region conflict. */
async function bulkDeletions(view: LedgerView, region: number, month: number): Promise<StateWrite[]> {
  const deletions: StateWrite[] = [];
  for (const { k, periods, number } of await view.epochs(region, month)) {
    deletions.push({ key: stateKey.body(region, number), value: undefined });
    for (let i = k; i < k + periods; i += 1) {
      const readings = await view.readings(region, { month, k: i });
      if (readings !== undefined) deletions.push({ key: stateKey.body(region, readings.number), value: undefined });
    }
  }
  return deletions;
}
