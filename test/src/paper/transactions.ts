import { BloomFilter, H1, Writer, schnorr } from "@veilgrid/protocol";
import type { Half, Meter, Place } from "../consortium/meters.js";

/** The paper's Tx (section 5, Data aggregation, d): it names neither period nor region. */
export interface PaperTransaction {
  readonly prid: Uint8Array;
  readonly rc: bigint;
  /** The meter's time, Unix milliseconds. */
  readonly ts: bigint;
  readonly sig: Uint8Array;
}

/** The paper's H_1(rc, ts): all that is signed. */
function signed(rc: bigint, ts: bigint): Uint8Array {
  return H1("paper/transaction", new Writer().i64(rc).u64(ts).bytes());
}

/** A transaction as the paper's meter makes it. */
export function paperTransaction({ prid, secret }: Half, rc: bigint, ts: bigint): PaperTransaction {
  return { prid, rc, ts, sig: schnorr.sign(signed(rc, ts), secret) };
}

/** The paper's BF_1: one filter for all PRIDs of a month, of all its regions. */
export function paperFilter(meters: readonly Meter[], places: readonly Place[]): BloomFilter {
  const prids = places.flatMap((place) => meters.flatMap((meter) => meter.halves(place).map(({ prid }) => prid)));
  return BloomFilter.of("paper/bf1", prids, prids.length, { bitsPerElement: 29, indices: 20 });
}

/** The paper's steps 1 and 2: issued between x and y, the filter passes, the signature is valid. */
export function paperAccepts(
  filter: BloomFilter,
  { prid, rc, ts, sig }: PaperTransaction,
  [x, y]: readonly [bigint, bigint],
): boolean {
  return ts >= x && ts < y && filter.has(prid) && schnorr.verify(sig, signed(rc, ts), prid);
}
