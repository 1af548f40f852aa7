import { setTimeout as pause } from "node:timers/promises";
import { monthName, readingLeaf, toHex, type LedgerView, type Period } from "@veilgrid/protocol";
import type { Site } from "./site.js";

const LOOK_MS = 200;

/** Waits until something holds. @throws Error after so many milliseconds, with what `state` says. */
export async function until(
  holds: () => Promise<boolean>,
  milliseconds: number,
  state: () => string | Promise<string>,
): Promise<void> {
  for (const begun = Date.now(); Date.now() - begun < milliseconds;) {
    if (await holds()) return;
    await pause(LOOK_MS);
  }
  throw new Error(`not within ${milliseconds} ms: ${await state()}`);
}

/** The leaves of a period's readings block in hex; undefined while it is not committed. */
export async function leavesOf(view: LedgerView, period: Period): Promise<string[] | undefined> {
  const record = await view.readings(1, period);
  if (record === undefined) return undefined;
  const committed = await view.block(1, record.number);
  return committed?.block.leaves.map(toHex);
}

/** Receipted readings of a period that are not on the ledger exactly once. */
export async function strays(site: Site, view: LedgerView, period: Period): Promise<string[]> {
  const leaves = (await leavesOf(view, period)) ?? [];
  return site
    .receipted(period)
    .map((reading) => toHex(readingLeaf(reading)))
    .filter((leaf) => leaves.filter((other) => other === leaf).length !== 1);
}

/** How far a site is, for people. */
export async function standing(site: Site, view: LedgerView): Promise<string> {
  const lines = await Promise.all(
    site.periods.map(async (period) => {
      const leaves = await leavesOf(view, period);
      const price = await view.price(1, period);
      const receipted = site.receipted(period).length;
      return `k ${period.k}: ${receipted} receipted, ${leaves?.length ?? "no"} leaves, basis ${price?.basis ?? "none"}`;
    }),
  );
  const { term } = await view.term();
  const bills = await Promise.all(site.bids().map((bid) => view.bill(bid, (site.periods[0] as Period).month)));
  const issued = bills.filter((bill) => bill !== undefined).length;
  const { month } = site.periods[0] as Period;
  const time = new Date(site.clock.now()).toISOString();
  return [...lines, `term ${term}, ${issued} bills of ${monthName(month)}, time ${time}`].join("\n");
}

/** Whether every period has its price and every customer its bill. */
export async function isBilled(site: Site, view: LedgerView): Promise<boolean> {
  const { month } = site.periods.at(-1) as Period;
  for (const bid of site.bids()) if ((await view.bill(bid, month)) === undefined) return false;
  return true;
}
