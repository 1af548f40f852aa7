import { Writer } from "../bytes.js";
import { readPeriod, writePeriod, type Period } from "./period.js";
import { VERSION, periodRule, readVersion, regionRule, structCodec, unfit, type StructCodec } from "./struct.js";

/** Encoded lengths: a reading, the same with its signature, and a leaf of a readings block. */
export const READING_BYTES = 49;
export const SIGNED_READING_BYTES = 113;
export const READING_LEAF_BYTES = 104;

// What a leaf leaves out, the header's v, Region and Period, stands at a reading's front.
const SHARED_BYTES = READING_BYTES - 40;

/** One masked half of a meter's reading. */
export interface Reading {
  readonly region: number;
  readonly period: Period;
  /** The x-only one-time key that signs it, 32 bytes. */
  readonly prid: Uint8Array;
  /** Masked half in Z_2^64. */
  readonly rc: bigint;
}

/** The codec of Reading: 49 bytes. */
export const readingCodec: StructCodec<Reading> = structCodec<Reading>({
  what: "reading",
  write: (to, v) => writePeriod(to.u8(VERSION).u16(v.region), v.period).fixed(v.prid, 32).u64(v.rc),
  read(from) {
    readVersion(from);
    return { region: from.u16(), period: readPeriod(from), prid: from.fixed(32), rc: from.u64() };
  },
  rules: [regionRule, periodRule],
});

/** The leaf of an encoded signed reading (113 bytes), as a view of it. */
export function readingLeaf(signedReading: Uint8Array): Uint8Array {
  if (signedReading.length !== SIGNED_READING_BYTES) throw unfit("signed reading", `${signedReading.length} bytes`);
  return signedReading.subarray(SHARED_BYTES);
}

/**
 * Turns leaves of one region and period back into the signed readings (113 bytes) that the meters sent: the returned
 * function puts the shared fields before a leaf. Made once a block.
 */
export function readingOfLeaf(region: number, period: Period): (leaf: Uint8Array) => Uint8Array {
  const shared = writePeriod(new Writer().u8(VERSION).u16(region), period).bytes();
  return (leaf) => {
    if (leaf.length !== READING_LEAF_BYTES) throw unfit("reading leaf", `${leaf.length} bytes`);
    const signed = new Uint8Array(SIGNED_READING_BYTES);
    signed.set(shared);
    signed.set(leaf, SHARED_BYTES);
    return signed;
  };
}
