import {
  H3,
  compareBytes,
  deriveSeeds,
  encodeLeaf,
  leaf,
  pridOf,
  readingCodec,
  readingLeaf,
  readingSecret,
  seedLeafHash,
  signBody,
  splitReading,
  type Period,
} from "@veilgrid/protocol";
import { knownSecret } from "./members.js";

/** A region's period of one consortium. */
export interface Place {
  readonly consortium: Uint8Array;
  readonly region: number;
  readonly period: Period;
}

/** A meter that reports one consumption. */
export interface ExampleMeter {
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** Of the ledger's month, 32 bytes. */
  readonly monthKey: Uint8Array;
  /** Wh. */
  readonly consumption: bigint;
}

interface Half {
  readonly secret: Uint8Array;
  readonly prid: Uint8Array;
  readonly z: Uint8Array;
}

/** Meters whose keys everybody can compute; the i-th reports 100 * (i + 1) Wh. */
export function exampleMeters(count: number): ExampleMeter[] {
  return Array.from({ length: count }, (_, i) => ({
    bid: knownSecret(`BID ${i}`).subarray(0, 16),
    monthKey: knownSecret(`month key ${i}`),
    consumption: 100n * BigInt(i + 1),
  }));
}

function halvesOf({ monthKey }: ExampleMeter, { consortium, period }: Place): readonly [Half, Half] {
  const { s0, s1, r0, r1 } = deriveSeeds(monthKey, consortium, period.month);
  const half = (s: Uint8Array, r: Uint8Array): Half => {
    const t = leaf(s, period.k);
    return { secret: readingSecret(t), prid: pridOf(t), z: leaf(r, period.k) };
  };
  return [half(s0, r0), half(s1, r1)];
}

/** The PRIDs of a period, ascending. */
export function pridList(meters: readonly ExampleMeter[], place: Place): Uint8Array[] {
  return meters.flatMap((meter) => halvesOf(meter, place).map(({ prid }) => prid)).sort(compareBytes);
}

/** All masks of a period. */
export function masksOf(meters: readonly ExampleMeter[], place: Place): bigint[] {
  return meters.flatMap((meter) => halvesOf(meter, place).map(({ z }) => H3(z)));
}

/** The leaf by which an epoch that begins with `first` binds KGCBP to a meter's seeds. */
export function seedLeafOf({ bid, monthKey }: ExampleMeter, { consortium, period }: Place): Uint8Array {
  return seedLeafHash(bid, period, deriveSeeds(monthKey, consortium, period.month));
}

/** The leaves of a readings block: both halves of every meter, signed, ascending. */
export function readingLeaves(meters: readonly ExampleMeter[], place: Place): Uint8Array[] {
  const { consortium, region, period } = place;
  const signed = ({ prid, secret }: Half, rc: bigint): Uint8Array => {
    const body = readingCodec.encode({ region, period, prid, rc });
    return readingLeaf(encodeLeaf(body, signBody("reading", consortium, body, secret)));
  };
  const leaves = meters.flatMap((meter) => {
    const [first, second] = halvesOf(meter, place);
    const { rc, rc2 } = splitReading(meter.consumption, first.z, second.z);
    return [signed(first, rc), signed(second, rc2)];
  });
  return leaves.sort(compareBytes);
}
