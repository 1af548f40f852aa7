import { equalBytes } from "../../bytes.js";
import { comparePeriods, periodEnd, window } from "../../calendar.js";
import { decodeReadingLeaf } from "../../messages/block.js";
import type { EpochEntry } from "../../messages/epoch.js";
import type { Params } from "../../messages/params.js";
import type { Period } from "../../messages/period.js";
import { BASIS, priceCodec, type Price } from "../../messages/price.js";
import { sub, sum, toSigned } from "../../ring.js";
import { countedReadings } from "../completeness.js";
import { stateKey } from "../keys.js";
import { u32Record, type ReadingsRecord } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { issuedBodies, requireAscending, type Rule } from "./rule.js";

/** Prices: one for a region-period, with its basis checked (PROTOCOL section 4, Dynamic pricing). */
export const pricesRule: Rule = async (input) => {
  const { view, block, current } = input;
  const prices = issuedBodies(input, "price", priceCodec, current.cc.key);
  requireAscending(prices, (a, b) => a.region - b.region || comparePeriods(a.period, b.period));
  const writes: StateWrite[] = [];
  const priced = new Map<string, number>();
  for (const price of prices) {
    await checkPrice(view, price, block.header.ts, current);
    writes.push({ key: stateKey.price(price.region, price.period), value: priceCodec.encode(price) });
    if (price.basis === BASIS.noEpoch) continue;
    const key = stateKey.priced(price.region, price.period.month);
    priced.set(key, (priced.get(key) ?? (await view.priced(price.region, price.period.month))) + 1);
  }
  for (const [key, count] of priced) writes.push({ key, value: u32Record.encode(count) });
  return { writes };
};

async function checkPrice(view: LedgerView, price: Price, ts: bigint, current: Params): Promise<void> {
  const { region, period } = price;
  // One price for a region-period.
  require((await view.price(region, period)) === undefined, "price-exists", "the period already has its price");
  const params = await view.periodParams(region, period);
  if (params === undefined) {
    checkNoEpoch(price, ts, current);
    return;
  }
  const readings = await view.readings(region, period);
  if (readings === undefined) throw refusal("no-readings-block", "the period has no readings block yet", {}, true);
  require(equalBytes(readings.cbh, price.cbh), "wrong-block-hash", "the price names another readings block");
  const due = await priceBasis(view, region, period, { params, readings });
  const late = BigInt(window(period, params).closes + params.releaseSeconds * 1000);
  // *Late release*: no release committed, and TS >= window end + `releaseSeconds`.
  const basis = due.basis === BASIS.lateRelease && ts < late ? undefined : due.basis;
  require(price.basis === basis, "wrong-basis", "the ledger gives the price another basis", {
    claimed: price.basis,
    ledger: basis ?? 0,
  });
  // *Measured*: consumption = sum(rc) - Z, recomputed here; otherwise consumption is 0.
  require(price.consumption === due.consumption, "wrong-consumption", "the consumption is not the region's sum");
}

/** *No-epoch*: no epoch covers the period and TS >= end(k). */
function checkNoEpoch(price: Price, ts: bigint, current: Params): void {
  require(price.basis === BASIS.noEpoch, "wrong-basis", "no epoch covers the period", { claimed: price.basis });
  const ends = BigInt(periodEnd(price.period, current.periodSeconds));
  require(ts >= ends, "too-early", "the period is not over");
  require(price.consumption === 0n, "wrong-consumption", "without an epoch nothing is measured");
}

/** What the ledger knows of a committed period: the basis that a price must name, and the consumption in Wh. */
export interface PriceBasis {
  readonly basis: number;
  readonly consumption: bigint;
}

/** A period's own parameters and its readings block's record. */
export interface CommittedPeriod {
  readonly params: Params;
  readonly readings: ReadingsRecord;
}

/**
 * The basis that the ledger gives to a committed period now. `lateRelease` means that nothing is released yet, and
 * becomes valid only when the release is late.
 */
export async function priceBasis(
  view: LedgerView,
  region: number,
  period: Period,
  { params, readings }: CommittedPeriod,
): Promise<PriceBasis> {
  if (readings.count === 0) return { basis: BASIS.empty, consumption: 0n };
  const mask = await view.mask(region, period);
  if (mask?.status === 1) return { basis: BASIS.measured, consumption: toSigned(sub(mask.sum, mask.z)) };
  if (mask !== undefined) return { basis: BASIS.tooFew, consumption: 0n };
  const upfront = params.release === "upfront" && !readings.aggFault;
  const consumption = upfront ? await upfrontConsumption(view, region, period, readings) : undefined;
  if (consumption === undefined) return { basis: BASIS.lateRelease, consumption: 0n };
  return { basis: BASIS.measured, consumption };
}

/**
 * In mode `upfront`, *measured* without a correction means no fault and the epoch's Z. A PRID that stands twice counts
 * nowhere while its mask is in Z: then nothing is measured.
 */
async function upfrontConsumption(
  view: LedgerView,
  region: number,
  period: Period,
  { number }: ReadingsRecord,
): Promise<bigint | undefined> {
  const committed = await view.block(region, number);
  const covering = await view.epochAt(region, period);
  if (committed === undefined || covering === undefined) return undefined;
  const leaves = committed.block.leaves.map(decodeReadingLeaf);
  if (countedReadings(leaves, []).length !== leaves.length) return undefined;
  const { z } = covering.epoch.entries[period.k - covering.epoch.first.k] as EpochEntry;
  return z === undefined ? undefined : toSigned(sub(sum(leaves.map(({ rc }) => rc)), z));
}
