import { toHex } from "../../bytes.js";
import { monthCloses, type WindowParams } from "../../calendar.js";
import { billsCodec, type BillEntry } from "../../messages/bills.js";
import { stateKey } from "../keys.js";
import { billRecord } from "../records.js";
import { refusal, require, requireByNow } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { issuedBodies, type Rule, type RuleInput } from "./rule.js";

/** Bills: {BID, revision, CID, Hash} of a month that every region has closed (PROTOCOL section 4, Dynamic billing). */
export const billsRule: Rule = async (input) => {
  const { view, current } = input;
  const writes = new Map<string, StateWrite>();
  for (const { month, entries } of issuedBodies(input, "bills", billsCodec, current.kgcbp.key)) {
    await checkClosed(input, month);
    for (const entry of entries) {
      const { bid, revision, cid, hash } = entry;
      const key = stateKey.bill(bid, month);
      // One revision of a BID in a transaction, and so in a block.
      require(!writes.has(key), "wrong-revision", "a bill stands twice in the block", { bid: toHex(bid) });
      await checkRevision(view, entry, month);
      writes.set(key, { key, value: billRecord.encode({ revision, cid, hash }) });
    }
  }
  return { writes: [...writes.values()] };
};

/** Seeds are revealed only when every region has closed the month, when nothing can be signed with them any more. */
async function checkClosed({ view, block, current }: RuleInput, month: number): Promise<void> {
  requireMonthOver(block.header.ts, month, current);
  for (const region of await view.regions()) await requireMonthClosed(view, region, month);
}

/** TS at or after the month's end + `submissionWindow` + `forwardSeconds`. @throws VeilgridError `too-early`. */
export function requireMonthOver(ts: bigint, month: number, params: WindowParams): void {
  requireByNow(ts >= BigInt(monthCloses(month, params)), "too-early", "the month is not over", { month });
}

/** Every period that has an epoch has its readings block and its price. @throws VeilgridError `month-open`. */
export async function requireMonthClosed(view: LedgerView, region: number, month: number): Promise<void> {
  const closed = await view.monthClosed(region, month);
  requireByNow(closed, "month-open", "a region has not closed the month", { region, month });
}

/** The first revision is 0; the next one is the ledger's last for that BID and month plus 1. */
async function checkRevision(view: LedgerView, { bid, revision }: BillEntry, month: number): Promise<void> {
  const last = await view.bill(bid, month);
  const due = last === undefined ? 0 : last.revision + 1;
  if (revision === due) return;
  const facts = { bid: toHex(bid), revision, due };
  throw refusal("wrong-revision", "another revision of the bill is due", facts, revision > due);
}
