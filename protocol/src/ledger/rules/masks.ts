import { equalBytes, toHex } from "../../bytes.js";
import { decodeReadingLeaf, type ReadingLeaf } from "../../messages/block.js";
import { MASK_STATUS, maskCodec, type Mask } from "../../messages/mask.js";
import { sum } from "../../ring.js";
import { countedReadings } from "../completeness.js";
import { stateKey } from "../keys.js";
import { maskRecord } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";
import { committedPeriod, type CommittedPeriod } from "./period.js";
import { issuedBodies, type Rule } from "./rule.js";

/** Mask releases, and in mode `upfront` corrections: one for a region-period, ever (PROTOCOL section 4, Mask release). */
export const masksRule: Rule = async (input) => {
  const { view, block, current } = input;
  const { number } = block.header;
  const masks = issuedBodies(input, "mask", maskCodec, current.kgcbp.key);
  const writes: StateWrite[] = [];
  for (const [index, mask] of masks.entries()) {
    const { region, period, status, z } = mask;
    const value = maskRecord.encode({ number, index, status, z, sum: await checkMask(view, mask) });
    writes.push({ key: stateKey.mask(region, period), value });
  }
  return { writes };
};

/** The sum of rc over the counted readings, stored for *released* only: otherwise zero. */
async function checkMask(view: LedgerView, mask: Mask): Promise<bigint> {
  const { region, period, cbh, status } = mask;
  const committed = await committedPeriod(view, region, period);
  // The chaincode requires the committed block's hash.
  require(equalBytes(committed.readings.cbh, cbh), "wrong-block-hash", "the release names another readings block");
  // One release for a region-period, ever: a second Z would unmask by subtraction.
  require((await view.mask(region, period)) === undefined, "mask-exists", "the period already has its release");
  checkDue(status, committed);
  return status === MASK_STATUS.released ? releasedSum(view, mask, committed) : 0n;
}

function checkDue(status: Mask["status"], { params, readings }: CommittedPeriod): void {
  // An empty block gets no release.
  require(readings.count > 0, "mask-not-due", "an empty block gets no release");
  if (params.release === "after-commit") return;
  // A correction is a Mask of status 1, only for a block with aggFault = 1.
  const due = status === MASK_STATUS.released && readings.aggFault;
  require(due, "mask-not-due", "only a fault is corrected, and with status 1");
}

async function releasedSum(view: LedgerView, mask: Mask, { params, readings }: CommittedPeriod): Promise<bigint> {
  const { region, excluded } = mask;
  const committed = await view.block(region, readings.number);
  if (committed === undefined) throw refusal("month-deleted", "the month's readings are deleted");
  const leaves = committed.block.leaves.map(decodeReadingLeaf);
  checkExcluded(leaves, excluded);
  const counted = countedReadings(leaves, excluded);
  // For *released*, an even number of counted readings that is at least 2 x `minReleaseMeters`.
  const enough = counted.length % 2 === 0 && counted.length >= 2 * params.minReleaseMeters;
  require(enough, "too-few-meters", "the release would count too few meters", { counted: counted.length });
  return sum(counted.map(({ rc }) => rc));
}

/** Each excluded PRID is one of the block. */
function checkExcluded(leaves: readonly ReadingLeaf[], excluded: readonly Uint8Array[]): void {
  if (excluded.length === 0) return;
  const present = new Set(leaves.map(({ prid }) => toHex(prid)));
  require(excluded.every((prid) => present.has(toHex(prid))), "not-in-block", "an excluded PRID is not in the block");
}
