import { MASK_STATUS, sum, toHex, type Mask, type Params, type Period, type ReadingLeaf } from "@veilgrid/protocol";
import type { EpochKeys } from "./epoch-keys.js";
import type { Outcome } from "./tally.js";

/** A committed readings block, as a release needs it. */
export interface ReadingsBlock {
  readonly region: number;
  readonly period: Period;
  /** 32 bytes. */
  readonly cbh: Uint8Array;
  readonly aggFault: boolean;
  readonly leaves: readonly ReadingLeaf[];
}

/** "every PRID in the block whose meter is not complete", ascending as the leaves are. */
function excludedPrids(leaves: readonly ReadingLeaf[], complete: ReadonlySet<string>): Uint8Array[] {
  const seen = new Set(complete);
  return leaves.flatMap(({ prid }) => {
    const name = toHex(prid);
    if (seen.has(name)) return [];
    seen.add(name);
    return [prid];
  });
}

/** Whether a release follows a committed readings block that has so many complete meters. */
export function isReleaseDue(
  { count, aggFault }: { readonly count: number; readonly aggFault: boolean },
  complete: number,
  params: Params,
): boolean {
  // "An empty block gets no release."
  if (count === 0) return false;
  if (params.release === "after-commit") return true;
  // Upfront a correction is "only for a block with aggFault = 1", and knows no status *too few*: with too few complete
  // meters the sum stays closed, and the price falls back.
  return aggFault && complete >= params.minReleaseMeters;
}

/**
 * The mask release of a committed readings block, or undefined where none is due: a function of block, parameters and
 * month keys, so that a KGCBP restored from a backup signs the same bytes (PROTOCOL section 4, Mask release).
 * @param outcomes the block's tally, in the order of the epoch's members.
 * @param params the version that the period's epoch names.
 */
export function releaseOf(
  block: ReadingsBlock,
  keys: EpochKeys,
  outcomes: readonly Outcome[],
  params: Params,
): Mask | undefined {
  const { region, period, cbh, leaves, aggFault } = block;
  const complete = outcomes.flatMap(({ state }, member) => (state === "complete" ? [member] : []));
  if (!isReleaseDue({ count: leaves.length, aggFault }, complete.length, params)) return undefined;
  const offset = keys.offsetOf(period);
  // "with fewer than `minReleaseMeters` complete meters the status is too few, Z = 0, `excluded` is empty"
  if (complete.length < params.minReleaseMeters) {
    return { region, period, cbh, status: MASK_STATUS.tooFew, z: 0n, excluded: [] };
  }
  const counted = new Set(
    complete.flatMap((member) => [toHex(keys.prid(offset, member, 0)), toHex(keys.prid(offset, member, 1))]),
  );
  return {
    region,
    period,
    cbh,
    status: MASK_STATUS.released,
    // "Z is the mask sum of what remains"
    z: sum(complete.map((member) => keys.mask(offset, member))),
    excluded: excludedPrids(leaves, counted),
  };
}
