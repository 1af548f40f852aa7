import { decodeReadingLeaf } from "../../messages/block.js";
import type { EpochEntry } from "../../messages/epoch.js";
import { MASK_STATUS } from "../../messages/mask.js";
import type { Period } from "../../messages/period.js";
import { BASIS, type PriceBasis as Basis } from "../../messages/price.js";
import { sub, sum, toSigned } from "../../ring.js";
import { countedReadings } from "../completeness.js";
import type { LedgerView } from "../view.js";
import type { CommittedPeriod } from "./period.js";

/** What the ledger knows of a committed period: the basis that a price must name, and the consumption in Wh. */
export interface PriceBasis {
  readonly basis: Basis;
  readonly consumption: bigint;
}

/**
 * The basis that the ledger gives to a committed period now. `lateRelease` means that nothing is released yet: a price
 * may name it as soon as the release is late.
 */
export async function priceBasis(
  view: LedgerView,
  region: number,
  period: Period,
  committed: CommittedPeriod,
): Promise<PriceBasis> {
  if (committed.readings.count === 0) return { basis: BASIS.empty, consumption: 0n };
  const mask = await view.mask(region, period);
  if (mask !== undefined) {
    const { status, sum: total, z } = mask;
    if (status === MASK_STATUS.tooFew) return { basis: BASIS.tooFew, consumption: 0n };
    return { basis: BASIS.measured, consumption: toSigned(sub(total, z)) };
  }
  const consumption = await upfrontConsumption(view, region, period, committed);
  if (consumption === undefined) return { basis: BASIS.lateRelease, consumption: 0n };
  return { basis: BASIS.measured, consumption };
}

/**
 * In mode `upfront`, *measured* without a correction means no fault and the epoch's Z. A PRID that stands twice counts
 * nowhere while its mask is in Z: then nothing is measured, though no fault is reported that could be corrected.
 */
async function upfrontConsumption(
  view: LedgerView,
  region: number,
  period: Period,
  { params, readings }: CommittedPeriod,
): Promise<bigint | undefined> {
  if (params.release !== "upfront" || readings.aggFault) return undefined;
  const committed = await view.block(region, readings.number);
  const covering = await view.epochAt(region, period);
  // A closed month keeps its prices, not the values that they were computed from.
  if (committed === undefined || covering === undefined) return undefined;
  const leaves = committed.block.leaves.map(decodeReadingLeaf);
  if (countedReadings(leaves, []).length < leaves.length) return undefined;
  const { z } = covering.epoch.entries[period.k - covering.epoch.first.k] as Required<EpochEntry>;
  return toSigned(sub(sum(leaves.map(({ rc }) => rc)), z));
}
