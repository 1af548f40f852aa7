import {
  MASK_STATUS,
  caseId,
  caseKey,
  caseRef,
  compareBytes,
  computeBill,
  deltaNano,
  maskCodec,
  parseTariff,
  sub,
  sum,
  toSigned,
  unmask,
  verdictCodec,
  type Bill,
  type Mask,
  type Reading,
  type Signed,
} from "../src/index.js";
import type { Committed } from "./chain.js";
import type { Input } from "./input.js";
import { periodOf, type Half, type MeterKeys } from "./meters.js";

/** What the mask release of a period says, and what it opens. */
export interface Release {
  readonly maskBytes: Uint8Array;
  readonly mask: Mask;
  /** Sum of rc over the counted readings in Z_2^64. */
  readonly sumOfCounted: bigint;
  /** The same less Z, read as a signed number: Wh. */
  readonly consumption: bigint;
}

type Halves = readonly [Half, Half];

/**
 * "complete is both halves there, one reading each, and |c| <= maxWhPerPeriod": the meter's consumption in Wh, or
 * nothing.
 */
export function completeReading(input: Input, halves: Halves, sent: readonly Signed<Reading>[]): bigint | undefined {
  const [first, second] = sent;
  if (first === undefined || second === undefined || sent.length !== 2) return undefined;
  const c = unmask(first.body.rc, second.body.rc, halves[0].z, halves[1].z);
  const bound = BigInt(input.params.maxWhPerPeriod);
  return c <= bound && c >= -bound ? c : undefined;
}

/** The release of the k-th period; `sent[i]` is what meter i sent in it. */
export function releaseOf(
  input: Input,
  { cbh }: Committed,
  meters: readonly MeterKeys[],
  k: number,
  sent: readonly (readonly Signed<Reading>[])[],
): Release {
  const all = meters.map((keys, i) => {
    const halves = keys.halves[k] as Halves;
    const readings = sent[i] as readonly Signed<Reading>[];
    return { halves, readings, complete: completeReading(input, halves, readings) !== undefined };
  });
  const complete = all.filter((one) => one.complete);
  const incomplete = all
    .filter((one) => !one.complete)
    .flatMap(({ readings }) => readings.map(({ body }) => body.prid));
  const excluded = [...new Map(incomplete.map((prid) => [prid.join(), prid])).values()].sort(compareBytes);
  const z = sum(complete.flatMap(({ halves }) => halves.map(({ mask }) => mask)));
  const sumOfCounted = sum(complete.flatMap(({ readings }) => readings.map(({ body }) => body.rc)));
  const place = { region: input.region, period: periodOf(input, k), cbh };
  const released = complete.length >= input.params.minReleaseMeters;
  const mask: Mask = released
    ? { ...place, status: MASK_STATUS.released, z, excluded }
    : { ...place, status: MASK_STATUS.tooFew, z: 0n, excluded: [] };
  return { maskBytes: maskCodec.encode(mask), mask, sumOfCounted, consumption: toSigned(sub(sumOfCounted, z)) };
}

/** KGCBP's case of a period, and what its verdict says. */
export interface CaseVector {
  readonly caseKey: Uint8Array;
  readonly caseId: Uint8Array;
  readonly ref: Uint8Array;
  readonly verdictBytes: Uint8Array;
}

/** What becomes of a meter's missing periods. */
export interface Missing {
  /** The bill under the same tariff with the missing rule `profile`. */
  readonly estimated: Bill;
  /** The bill's delta once they are settled by the meter's log, in nano-units. */
  readonly deltaNano: bigint;
}

/** The estimates and the settlement of a meter's missing periods; `readings` are its complete ones. */
export function missingOf(input: Input, meter: number, readings: readonly (bigint | undefined)[]): Missing {
  const { periodSeconds } = input.params;
  const prices = input.prices.map(BigInt);
  const month = { periodSeconds, from: input.first.k, readings, prices, faults: 0 };
  const profile = parseTariff({ ...input.tariff, missingRule: "profile", profile: input.profile });
  const settled = readings.flatMap((reading, i) => {
    if (reading !== undefined) return [];
    return [{ k: input.first.k + i, wh: BigInt(input.consumption[i]?.[meter] as number), price: undefined }];
  });
  return {
    estimated: computeBill({ ...month, tariff: profile }),
    deltaNano: deltaNano({ ...month, tariff: parseTariff(input.tariff) }, [], settled),
  };
}

/** The verdict on the k-th period; `sent[i]` is what meter i sent in it. */
export function caseOf(
  input: Input,
  secret: Uint8Array,
  meters: readonly MeterKeys[],
  k: number,
  sent: readonly (readonly Signed<Reading>[])[],
): CaseVector {
  const { region } = input;
  const period = periodOf(input, k);
  const count = (of: (readings: readonly Signed<Reading>[], halves: Halves) => boolean): number =>
    sent.filter((readings, i) => of(readings, meters[i]?.halves[k] as Halves)).length;
  const [key, id] = [caseKey(secret, period.month), caseId(secret, region, period)];
  const verdict = {
    region,
    period,
    silent: count(({ length }) => length === 0),
    orphan: count(({ length }) => length === 1),
    implausible: count(
      (readings, halves) => readings.length === 2 && completeReading(input, halves, readings) === undefined,
    ),
    conflict: count(({ length }) => length > 2),
    ref: caseRef(key, id),
  };
  return { caseKey: key, caseId: id, ref: verdict.ref, verdictBytes: verdictCodec.encode(verdict) };
}

/** The bill of a meter from its complete readings, one for each period of the supply. */
export function billOf(input: Input, readings: readonly (bigint | undefined)[]): Bill {
  const { periodSeconds } = input.params;
  return computeBill({ tariff: parseTariff(input.tariff), periodSeconds, readings, prices: input.prices.map(BigInt) });
}
