import {
  H3,
  addPeriods,
  deriveSeeds,
  fromHex,
  leaves,
  pridOf,
  readingCodec,
  readingSecret,
  signStruct,
  splitReading,
  type Period,
  type Reading,
  type Seeds,
  type Signed,
} from "../src/index.js";
import type { Consortium, Input } from "./input.js";

/** What one half of a period's reading is made with. */
export interface Half {
  /** H2(t), 32 bytes. */
  readonly secret: Uint8Array;
  readonly prid: Uint8Array;
  readonly z: Uint8Array;
  readonly mask: bigint;
}

/** A meter's keys of the run: `halves[k]` are those of the k-th period. */
export interface MeterKeys {
  readonly bid: Uint8Array;
  readonly seeds: Seeds;
  readonly halves: readonly (readonly [Half, Half])[];
}

/** The k-th period of the run. */
export function periodOf(input: Input, k: number): Period {
  return addPeriods(input.first, k, input.params.periodSeconds);
}

function halvesOf(seedT: Uint8Array, seedZ: Uint8Array, { first, periods }: Input): Half[] {
  const zs = leaves(seedZ, first.k, periods);
  return leaves(seedT, first.k, periods).map((t, k) => {
    const z = zs[k] as Uint8Array;
    return { secret: readingSecret(t), prid: pridOf(t), z, mask: H3(z) };
  });
}

/** The keys of all meters, in the order of the input. */
export function meterKeys(input: Input, { id }: Consortium): MeterKeys[] {
  return input.meters.map(({ bid, monthKey }) => {
    const seeds = deriveSeeds(fromHex(monthKey), id, input.first.month);
    const seconds = halvesOf(seeds.s1, seeds.r1, input);
    const halves = halvesOf(seeds.s0, seeds.r0, input).map((half, k): [Half, Half] => [half, seconds[k] as Half]);
    return { bid: fromHex(bid), seeds, halves };
  });
}

type Halves = readonly [Half, Half];

function sign(input: Input, { id }: Consortium, k: number, { prid, secret }: Half, rc: bigint): Signed<Reading> {
  const body = { region: input.region, period: periodOf(input, k), prid, rc };
  return signStruct("reading", id, readingCodec, body, secret);
}

/** The readings that a meter sends in the k-th period: both halves, unless an event says otherwise. */
export function sentReadings(
  input: Input,
  consortium: Consortium,
  keys: MeterKeys,
  meter: number,
  k: number,
): Signed<Reading>[] {
  const [first, second] = keys.halves[k] as Halves;
  const halves = (c: bigint): [Signed<Reading>, Signed<Reading>] => {
    const { rc, rc2 } = splitReading(c, first.z, second.z);
    return [sign(input, consortium, k, first, rc), sign(input, consortium, k, second, rc2)];
  };
  const c = BigInt((input.consumption[k] as readonly number[])[meter] as number);
  const event = input.events.find((one) => one.period === k && one.meter === meter)?.what ?? "";
  if (event.startsWith("only the first half")) return halves(c).slice(0, 1);
  if (event.startsWith("the second half arrives twice")) return [...halves(c), halves(c + 7n)[1]];
  return halves(c);
}
