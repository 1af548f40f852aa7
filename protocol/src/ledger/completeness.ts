import { BloomFilter } from "../bloom.js";
import { equalBytes, toHex } from "../bytes.js";
import type { ReadingLeaf } from "../messages/block.js";
import type { Epoch, EpochEntry } from "../messages/epoch.js";
import type { Params } from "../messages/params.js";
import type { Period } from "../messages/period.js";
import { pridSum, setCommitment } from "../prids.js";

/** The distinct PRIDs of a readings block's leaves, ascending as the leaves are. */
export function distinctPrids(leaves: readonly Pick<ReadingLeaf, "prid">[]): Uint8Array[] {
  return leaves
    .map(({ prid }) => prid)
    .filter((prid, i, all) => i === 0 || !equalBytes(prid, all[i - 1] as Uint8Array));
}

/**
 * C (completeness): S, or T against BF2, over the distinct PRIDs. An empty set or a sum at infinity has no T and fails.
 * @param leaves in the order of the block.
 */
export function isComplete(
  params: Params,
  region: number,
  period: Period,
  epoch: Epoch,
  leaves: readonly Pick<ReadingLeaf, "prid">[],
): boolean {
  const prids = distinctPrids(leaves);
  if (params.completeness === "set") {
    const { set } = epoch.entries[period.k - epoch.first.k] as EpochEntry;
    return equalBytes(setCommitment(region, period, prids), set);
  }
  const t = pridSum(prids);
  return t !== undefined && new BloomFilter(epoch.bf2 as Uint8Array, "veilgrid/1/bf2", params.indices).has(t);
}

/** Counted are the readings whose PRID occurs once in the block and is not excluded. */
export function countedReadings(
  leaves: readonly ReadingLeaf[],
  excluded: readonly Uint8Array[],
): readonly ReadingLeaf[] {
  const out = new Set(excluded.map(toHex));
  return leaves.filter(({ prid }, i) => {
    const alone = !same(leaves[i - 1], prid) && !same(leaves[i + 1], prid);
    return alone && !(out.size > 0 && out.has(toHex(prid)));
  });
}

function same(leaf: ReadingLeaf | undefined, prid: Uint8Array): boolean {
  return leaf !== undefined && equalBytes(leaf.prid, prid);
}
