import {
  deriveSeeds,
  encodeLeaf,
  leaf,
  pridOf,
  ratchet,
  readingCodec,
  readingLeaf,
  readingSecret,
  sha256,
  signBody,
  splitReading,
  utf8,
  type Period,
} from "@veilgrid/protocol";
import { newCustomerKey } from "../../src/bill/encryption.js";
import type { Enrolment } from "../../src/ports/keystore.js";

/** A home with its meter's key and its customer's. */
export interface Home {
  readonly enrolment: Enrolment;
  /** Month key K of the month of `from`. */
  readonly monthKey: Uint8Array;
  readonly identity: string;
}

/** A home whose keys follow from its name. */
export async function homeOf(meter: string, region: number, from: Period, to: Period | undefined): Promise<Home> {
  const draw = (what: string): Uint8Array => sha256(utf8(`${what} of ${meter}`));
  const { identity, recipient } = await newCustomerKey((count, n) => draw(`identity ${n}`).subarray(0, count));
  const enrolment = { meter, bid: draw("bid").subarray(0, 16), region, recipient, from, to };
  return { enrolment, monthKey: draw("key"), identity };
}

/** The same customer at the same meter with a fresh key from a period on, in this region. */
export function rekeyed({ enrolment, identity }: Home, from: Period, region: number): Home {
  const monthKey = sha256(utf8(`new key of ${enrolment.meter}`));
  return { identity, monthKey, enrolment: { ...enrolment, region, from } };
}

/** The home's month key of a later month. */
function keyOf({ enrolment, monthKey }: Home, consortium: Uint8Array, month: number): Uint8Array {
  let key = monthKey;
  for (let next = enrolment.from.month + 1; next <= month; next += 1) key = ratchet(key, consortium, next);
  return key;
}

/** The two readings of a home for a period, as leaves of a block: what its meter would send. */
export function readingsOf(
  home: Home,
  consortium: Uint8Array,
  period: Period,
  consumption: bigint,
): [Uint8Array, Uint8Array] {
  const seeds = deriveSeeds(keyOf(home, consortium, period.month), consortium, period.month);
  const [t, t2, z, z2] = [seeds.s0, seeds.s1, seeds.r0, seeds.r1].map((seed) => leaf(seed, period.k)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const { rc, rc2 } = splitReading(consumption, z, z2);
  const { region } = home.enrolment;
  return [signed(region, period, t, rc, consortium), signed(region, period, t2, rc2, consortium)];
}

/** A reading's leaf under the key of t. */
export function signed(region: number, period: Period, t: Uint8Array, rc: bigint, consortium: Uint8Array): Uint8Array {
  const body = readingCodec.encode({ region, period, prid: pridOf(t), rc });
  return readingLeaf(encodeLeaf(body, signBody("reading", consortium, body, readingSecret(t))));
}
