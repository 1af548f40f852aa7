import { monthEnd } from "../../calendar.js";
import { closeCodec } from "../../messages/close.js";
import { stateKey } from "../keys.js";
import type { ReadingsRecord } from "../records.js";
import { require, requireByNow } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { requireMonthClosed, requireMonthOver } from "./bills.js";
import { issuedBodies, type Rule, type RuleInput } from "./rule.js";

/** Close deletes a region-month's bulk values from the state; headers, roots, sums and prices stay. */
export const closeRule: Rule = async (input) => {
  const { view, current } = input;
  const writes: StateWrite[] = [];
  for (const { region, month } of issuedBodies(input, "close", closeCodec, current.kgcbp.key)) {
    await checkDue(input, region, month);
    writes.push({ key: stateKey.close(region, month), value: new Uint8Array([1]) });
    writes.push(...(await bulkDeletions(view, region, month)));
  }
  return { writes };
};

async function checkDue({ view, block, current }: RuleInput, region: number, month: number): Promise<void> {
  const { ts } = block.header;
  const deleted = await view.monthDeleted(region, month);
  require(!deleted, "month-deleted", "the month's bulk values are already deleted", { region, month });
  requireMonthOver(ts, month, current);
  // Valid when `closeMonths` have passed by TS.
  const due = BigInt(monthEnd(month + current.closeMonths));
  requireByNow(ts >= due, "too-early", "closeMonths have not passed", { month });
  require((await view.epochs(region, month)).length > 0, "no-epoch", "the region has nothing in that month");
  await requireMonthClosed(view, region, month);
}

/** Keys are computed, not ranged over: a range read would make every later transaction of the region conflict. */
async function bulkDeletions(view: LedgerView, region: number, month: number): Promise<StateWrite[]> {
  const numbers: bigint[] = [];
  for (const { k, periods, number } of await view.epochs(region, month)) {
    numbers.push(number);
    for (let i = k; i < k + periods; i += 1) {
      // The month is closed: each of these periods has its block. One without readings has no body.
      const readings = (await view.readings(region, { month, k: i })) as ReadingsRecord;
      if (readings.count > 0) numbers.push(readings.number);
    }
  }
  return numbers.map((number) => ({ key: stateKey.body(region, number), value: undefined }));
}
