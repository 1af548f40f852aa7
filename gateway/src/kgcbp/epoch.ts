import {
  BloomFilter,
  pridSumFromScalars,
  setCommitment,
  sum,
  type Epoch,
  type EpochEntry,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { EpochKeys } from "./epoch-keys.js";
import type { SeedTree } from "./seed-tree.js";

function entryOf(keys: EpochKeys, offset: number, params: Params): EpochEntry {
  const { region, first, members } = keys.record;
  const period: Period = { month: first.month, k: first.k + offset };
  const list = keys.list(offset);
  const entry = {
    bf1: BloomFilter.of("veilgrid/1/bf1", list, list.length, params).bits,
    set: setCommitment(region, period, list),
  };
  if (params.release !== "upfront") return entry;
  // "in release mode `upfront` (the paper's) Z[j,k], the sum of the period's masks in Z_2^64"
  return { ...entry, z: sum(members.map((_, member) => keys.mask(offset, member))) };
}

/** "BF2 of the epoch's T[j,k]"; a sum at infinity has no T. */
function secondFilter(keys: EpochKeys, params: Params): Uint8Array {
  const { periods } = keys.record;
  const ts = Array.from({ length: periods }, (_, offset) => pridSumFromScalars([keys.exponent(offset)]));
  const some = ts.filter((t) => t !== undefined);
  return BloomFilter.of("veilgrid/1/bf2", some, periods, params).bits;
}

/**
 * An epoch's body (PROTOCOL section 4, Filter generation): a function of its record and keys alone.
 * @param params the version that the record names.
 */
export function composeEpoch(keys: EpochKeys, tree: SeedTree, params: Params): Epoch {
  const { region, first, periods, members } = keys.record;
  const epoch = {
    region,
    first,
    periods,
    params: params.version,
    meters: members.length,
    leaves: tree.count,
    seedRoot: tree.root,
    entries: Array.from({ length: periods }, (_, offset) => entryOf(keys, offset, params)),
  };
  return params.completeness === "sum" ? { ...epoch, bf2: secondFilter(keys, params) } : epoch;
}
