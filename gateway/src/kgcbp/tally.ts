import { add, sub, toHex, toSigned, type ReadingLeaf, type ReadingState } from "@veilgrid/protocol";
import type { EpochKeys } from "./epoch-keys.js";

/** What a committed block has of one meter; only a complete one has a consumption (signed Wh). */
export type Outcome =
  { readonly state: "complete"; readonly consumption: bigint } | { readonly state: Exclude<ReadingState, "complete"> };

const SILENT: Outcome = { state: "silent" };
const HALF: Outcome = { state: "half" };
const REPEATED: Outcome = { state: "repeated" };
const IMPLAUSIBLE: Outcome = { state: "implausible" };

/** The masked values of a block by PRID (hex). */
function byPrid(leaves: readonly ReadingLeaf[]): Map<string, bigint[]> {
  const readings = new Map<string, bigint[]>();
  for (const { prid, rc } of leaves) {
    const name = toHex(prid);
    const known = readings.get(name);
    if (known === undefined) readings.set(name, [rc]);
    else known.push(rc);
  }
  return readings;
}

function outcomeOf(rc: readonly bigint[], rc2: readonly bigint[], mask: bigint, bound: bigint): Outcome {
  const [half, half2] = [rc[0], rc2[0]];
  if (rc.length > 1 || rc2.length > 1) return REPEATED;
  if (half === undefined && half2 === undefined) return SILENT;
  if (half === undefined || half2 === undefined) return HALF;
  const consumption = toSigned(sub(add(half, half2), mask));
  // "|c| <= `maxWhPerPeriod` (else a stale key or a broken register)"
  return consumption <= bound && -consumption <= bound ? { state: "complete", consumption } : IMPLAUSIBLE;
}

/**
 * What became of each meter of a period, in the order of the epoch's members: "complete is both halves there, one
 * reading each, and |c| <= maxWhPerPeriod" (PROTOCOL section 4, Mask release).
 * @param offset the period's place in the epoch.
 * @param maxWh `maxWhPerPeriod` of the period's params.
 */
export function tally(keys: EpochKeys, offset: number, leaves: readonly ReadingLeaf[], maxWh: number): Outcome[] {
  const readings = byPrid(leaves);
  const under = (member: number, half: 0 | 1): readonly bigint[] =>
    readings.get(toHex(keys.prid(offset, member, half))) ?? [];
  return keys.record.members.map((_, member) =>
    outcomeOf(under(member, 0), under(member, 1), keys.mask(offset, member), BigInt(maxWh)),
  );
}
