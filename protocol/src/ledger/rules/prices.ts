import { equalBytes } from "../../bytes.js";
import { periodEnd, window } from "../../calendar.js";
import type { Params } from "../../messages/params.js";
import { BASIS, priceCodec, type Price } from "../../messages/price.js";
import { stateKey } from "../keys.js";
import { u32Record } from "../records.js";
import { require, requireByNow } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { priceBasis } from "./basis.js";
import { committedPeriod } from "./period.js";
import { issuedBodies, type Rule } from "./rule.js";

/** Prices: one for a region-period, with its basis checked (PROTOCOL section 4, Dynamic pricing). */
export const pricesRule: Rule = async (input) => {
  const { view, block, current } = input;
  const prices = issuedBodies(input, "price", priceCodec, current.cc.key);
  const writes: StateWrite[] = [];
  const priced = new Map<string, number>();
  for (const price of prices) {
    const { region, period, basis } = price;
    await checkPrice(view, price, block.header.ts, current);
    writes.push({ key: stateKey.price(region, period), value: priceCodec.encode(price) });
    if (basis === BASIS.noEpoch) continue;
    const key = stateKey.priced(region, period.month);
    priced.set(key, (priced.get(key) ?? (await view.priced(region, period.month))) + 1);
  }
  for (const [key, count] of priced) writes.push({ key, value: u32Record.encode(count) });
  return { writes };
};

async function checkPrice(view: LedgerView, price: Price, ts: bigint, current: Params): Promise<void> {
  const { region, period, cbh } = price;
  // One price for a region-period.
  require((await view.price(region, period)) === undefined, "price-exists", "the period already has its price");
  if ((await view.periodParams(region, period)) === undefined) {
    checkNoEpoch(price, ts, current);
    return;
  }
  const committed = await committedPeriod(view, region, period);
  const due = await priceBasis(view, region, period, committed);
  if (due.basis === BASIS.lateRelease) checkLate(price, ts, committed.params);
  const facts = { claimed: price.basis, ledger: due.basis };
  require(price.basis === due.basis, "wrong-basis", "the ledger gives the price another basis", facts);
  require(equalBytes(committed.readings.cbh, cbh), "wrong-block-hash", "the price names another readings block");
  // *Measured*: consumption = sum(rc) - Z, recomputed here; otherwise consumption is 0.
  require(price.consumption === due.consumption, "wrong-consumption", "the consumption is not the region's sum", {
    claimed: price.consumption.toString(),
    ledger: due.consumption.toString(),
  });
}

/** *No-epoch*: no epoch covers the period and TS >= end(k). That nothing is consumed then is the price's encoding. */
function checkNoEpoch({ basis, period }: Price, ts: bigint, { periodSeconds }: Params): void {
  requireByNow(basis === BASIS.noEpoch, "wrong-basis", "no epoch covers the period", { claimed: basis });
  requireByNow(ts >= BigInt(periodEnd(period, periodSeconds)), "too-early", "the period is not over");
}

/** *Late release*: no release committed for the region-period's block, and TS >= window end + `releaseSeconds`. */
function checkLate({ basis, period }: Price, ts: bigint, params: Params): void {
  // Another basis may be right when the release is committed.
  requireByNow(basis === BASIS.lateRelease, "wrong-basis", "nothing is released for the period", { claimed: basis });
  const late = BigInt(window(period, params).closes + params.releaseSeconds * 1000);
  requireByNow(ts >= late, "too-early", "the release is not late yet");
}
