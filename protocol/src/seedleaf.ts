import { Writer } from "./bytes.js";
import { H1 } from "./hash.js";
import type { Seeds } from "./keys.js";
import type { Period } from "./messages/period.js";

/**
 * `H1("veilgrid/1/seeds", BID ‖ Period first ‖ s ‖ s' ‖ r ‖ r')`: the leaf, 32 bytes, of an epoch's seed root that
 * binds KGCBP to the seeds it will bill with (PROTOCOL section 4, Filter generation). `bid` is 16 bytes; `first` is the
 * epoch's first period.
 */
export function seedLeafHash(bid: Uint8Array, first: Period, seeds: Seeds): Uint8Array {
  const body = new Writer().fixed(bid, 16).u32(first.month).u16(first.k);
  for (const seed of [seeds.s0, seeds.s1, seeds.r0, seeds.r1]) body.fixed(seed, 32);
  return H1("veilgrid/1/seeds", body.bytes());
}
