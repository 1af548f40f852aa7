import { equalBytes, toHex } from "../../bytes.js";
import { comparePeriods } from "../../calendar.js";
import { decodeReadingLeaf, type ReadingLeaf } from "../../messages/block.js";
import { maskCodec, type Mask } from "../../messages/mask.js";
import { sum } from "../../ring.js";
import { countedReadings } from "../completeness.js";
import { stateKey } from "../keys.js";
import { maskRecord, type ReadingsRecord } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { issuedBodies, requireAscending, type Rule } from "./rule.js";

/** Mask releases, and in mode `upfront` corrections: one for a region-period, ever (PROTOCOL section 4, Mask release). */
export const masksRule: Rule = async (input) => {
  const { view, block, current } = input;
  const masks = issuedBodies(input, "mask", maskCodec, current.kgcbp.key);
  requireAscending(masks, (a, b) => a.region - b.region || comparePeriods(a.period, b.period));
  const writes: StateWrite[] = [];
  for (const [index, mask] of masks.entries()) {
    const { region, period, status, z } = mask;
    const total = await checkMask(view, mask);
    const value = maskRecord.encode({ number: block.header.number, index, status, z, sum: total });
    writes.push({ key: stateKey.mask(region, period), value });
  }
  return { writes };
};

/** The sum of rc over the counted readings; zero unless released. */
async function checkMask(view: LedgerView, mask: Mask): Promise<bigint> {
  const { region, period } = mask;
  const readings = await view.readings(region, period);
  if (readings === undefined) throw refusal("no-readings-block", "the period has no readings block yet", {}, true);
  // The chaincode requires the committed block's hash.
  require(equalBytes(readings.cbh, mask.cbh), "wrong-block-hash", "the release names another readings block");
  // One release for a region-period, ever: a second Z would unmask by subtraction.
  require((await view.mask(region, period)) === undefined, "mask-exists", "the period already has its release");
  await checkDue(view, mask, readings);
  if (mask.status === 2) return 0n;
  return releasedSum(view, mask, readings);
}

async function checkDue(view: LedgerView, { region, period, status }: Mask, readings: ReadingsRecord): Promise<void> {
  // An empty block gets no release.
  require(readings.count > 0, "mask-not-due", "an empty block gets no release");
  const params = await view.periodParams(region, period);
  if (params?.release !== "upfront") return;
  // In mode `upfront` a correction is a Mask of status 1, only for a block with aggFault = 1.
  require(status === 1 && readings.aggFault, "mask-not-due", "only a fault is corrected, and with status 1");
}

async function releasedSum(view: LedgerView, mask: Mask, readings: ReadingsRecord): Promise<bigint> {
  const { region, period, excluded } = mask;
  const committed = await view.block(region, readings.number);
  if (committed === undefined) throw refusal("month-closed", "the month's readings are deleted");
  const leaves = committed.block.leaves.map(decodeReadingLeaf);
  checkExcluded(leaves, excluded);
  const counted = countedReadings(leaves, excluded);
  // For *released*, an even number of counted readings that is at least 2 x `minReleaseMeters`.
  const { minReleaseMeters } = (await view.periodParams(region, period)) ?? (await view.currentParams());
  const enough = counted.length % 2 === 0 && counted.length >= 2 * minReleaseMeters;
  require(enough, "too-few-meters", "the release would count too few meters", { counted: counted.length });
  return sum(counted.map(({ rc }) => rc));
}

/** Each excluded PRID is one of the block. */
function checkExcluded(leaves: readonly ReadingLeaf[], excluded: readonly Uint8Array[]): void {
  if (excluded.length === 0) return;
  const present = new Set(leaves.map(({ prid }) => toHex(prid)));
  require(excluded.every((prid) => present.has(toHex(prid))), "not-in-block", "an excluded PRID is not in the block");
}
