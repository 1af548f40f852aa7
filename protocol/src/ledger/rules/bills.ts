import { compareBytes, toHex } from "../../bytes.js";
import { monthCloses, type WindowParams } from "../../calendar.js";
import { billsCodec, type BillEntry, type Bills } from "../../messages/bills.js";
import { stateKey } from "../keys.js";
import { billRecord } from "../records.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { issuedBodies, requireAscending, type Rule, type RuleInput } from "./rule.js";

/** Bills: {BID, revision, CID, Hash} of a month that every region has closed (PROTOCOL section 4, Dynamic billing). */
export const billsRule: Rule = async (input) => {
  const { view, current } = input;
  const all = issuedBodies(input, "bills", billsCodec, current.kgcbp.key);
  requireAscending(all, (a, b) => compareBytes(firstBid(a), firstBid(b)));
  const writes = new Map<string, StateWrite>();
  for (const { month, entries } of all) {
    await checkClosed(input, month);
    for (const entry of entries) {
      const key = stateKey.bill(entry.bid, month);
      // One revision of a BID in a transaction.
      require(!writes.has(key), "wrong-revision", "a bill stands twice in the block");
      await checkRevision(view, entry, month);
      const { revision, cid, hash } = entry;
      writes.set(key, { key, value: billRecord.encode({ revision, cid, hash }) });
    }
  }
  return { writes: [...writes.values()] };
};

function firstBid({ entries }: Bills): Uint8Array {
  return (entries[0] as BillEntry).bid;
}

/** Seeds are revealed only when every region has closed the month, when nothing can be signed with them any more. */
async function checkClosed({ view, block, current }: RuleInput, month: number): Promise<void> {
  requireMonthOver(block.header.ts, month, current);
  for (const region of await view.regions()) {
    require(await view.monthClosed(region, month), "month-open", "a region has not closed the month", {
      region,
      month,
    });
  }
}

/** TS at or after the month's end + `submissionWindow` + `forwardSeconds`. @throws VeilgridError `too-early`. */
export function requireMonthOver(ts: bigint, month: number, params: WindowParams): void {
  require(ts >= BigInt(monthCloses(month, params)), "too-early", "the month is not over", { month });
}

/** The first revision is 0; the next one is the ledger's last for that BID and month plus 1. */
async function checkRevision(view: LedgerView, { bid, revision }: BillEntry, month: number): Promise<void> {
  const last = await view.bill(bid, month);
  const due = last === undefined ? 0 : last.revision + 1;
  require(revision === due, "wrong-revision", "another revision of the bill is due", {
    bid: toHex(bid),
    revision,
    due,
  });
}
