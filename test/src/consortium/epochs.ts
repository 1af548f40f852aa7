import {
  BloomFilter,
  KIND,
  compareBytes,
  epochCodec,
  merkleRoot,
  pridSum,
  setCommitment,
  sum,
  type Epoch,
  type EpochEntry,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { issuedLeaf, type Issuing, type Timeless } from "./issued.js";
import type { Meter, Place } from "./meters.js";

/** The PRIDs of a period, ascending: the list that KGCBP sends the aggregators. */
export function pridList(meters: readonly Meter[], place: Place): Uint8Array[] {
  return meters.flatMap((meter) => meter.halves(place).map(({ prid }) => prid)).sort(compareBytes);
}

function entryOf(params: Params, meters: readonly Meter[], place: Place): EpochEntry {
  const prids = pridList(meters, place);
  const { bits: bf1 } = BloomFilter.of("veilgrid/1/bf1", prids, prids.length, params);
  const entry = { bf1, set: setCommitment(place.region, place.period, prids) };
  if (params.release === "after-commit") return entry;
  return { ...entry, z: sum(meters.flatMap((meter) => meter.halves(place).map(({ mask }) => mask))) };
}

/** The epoch of `periods` periods from `first` on, in which all meters' keys begin to count. */
export function epochOf(
  { consortium, params }: Issuing,
  meters: readonly Meter[],
  { region, first, periods }: { region: number; first: Period; periods: number },
): Epoch {
  const places = Array.from({ length: periods }, (_, i) => {
    return { consortium, region, period: { month: first.month, k: first.k + i } };
  });
  const seedLeaves = meters.map((meter) => meter.seedLeaf(consortium, first)).sort(compareBytes);
  const epoch = {
    ...{ region, first, periods, params: params.version },
    ...{ meters: meters.length, leaves: meters.length, seedRoot: merkleRoot(seedLeaves) },
    entries: places.map((place) => entryOf(params, meters, place)),
  };
  if (params.completeness === "set") return epoch;
  const points = places.map((place) => pridSum(pridList(meters, place)) as Uint8Array);
  return { ...epoch, bf2: BloomFilter.of("veilgrid/1/bf2", points, periods, params).bits };
}

/** The block of an epoch. */
export function epochDraft({ consortium, params, issuer = params.kgcbp.key }: Issuing, epoch: Epoch): Timeless {
  const leaf = issuedLeaf(consortium, "epoch", epochCodec(params).encode(epoch), issuer);
  const { region, first } = epoch;
  return { region, kind: KIND.epoch, params: params.version, period: first, aggFault: false, leaves: [leaf] };
}
