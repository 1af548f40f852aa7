import { H3, ringHash } from "./hash.js";
import { add, fromSigned, sub, sum, toSigned } from "./ring.js";

/** The two masked halves of one consumption, elements of Z_2^64. */
export interface Halves {
  readonly rc: bigint;
  readonly rc2: bigint;
}

/**
 * Splits and masks a period's consumption `c` (signed Wh) under the period's leaves z and z' (32 bytes each):
 * c' = first 8 bytes of H1("veilgrid/1/split", z), c'' = c - c', rc' = c' + H3(z), rc'' = c'' + H3(z')
 * (PROTOCOL section 4, Data aggregation). Each half alone is uniform in the ring.
 */
export function splitReading(c: bigint, z: Uint8Array, z2: Uint8Array): Halves {
  const slice = ringHash("veilgrid/1/split", z);
  return { rc: add(slice, H3(z)), rc2: add(sub(fromSigned(c), slice), H3(z2)) };
}

/** The consumption (signed Wh) in two halves: both together less both masks. */
export function unmask(rc: bigint, rc2: bigint, z: Uint8Array, z2: Uint8Array): bigint {
  return toSigned(sub(add(rc, rc2), sum([H3(z), H3(z2)])));
}
