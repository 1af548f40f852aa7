import {
  KIND,
  MASK_STATUS,
  compareBytes,
  fromSigned,
  splitReading,
  sum,
  type Mask,
  type Params,
} from "@veilgrid/protocol";
import type { Timeless } from "./issued.js";
import { signedLeaf, type Meter, type Place } from "./meters.js";

/** What one meter sent in a period. */
export interface Report {
  readonly meter: Meter;
  /** Wh. */
  readonly consumption: bigint;
  /** How many readings of the first and of the second half there are; those after the first differ from it. */
  readonly halves: readonly [number, number];
}

/** Both halves, once each. */
export function reported(meter: Meter, consumption: bigint, halves: readonly [number, number] = [1, 1]): Report {
  return { meter, consumption, halves };
}

/** The leaves of everything that was sent, ascending. */
export function leavesOf(place: Place, reports: readonly Report[]): Uint8Array[] {
  const leaves = reports.flatMap(({ meter, consumption, halves }) => {
    const keys = meter.halves(place);
    const { rc, rc2 } = splitReading(consumption, keys[0].z, keys[1].z);
    return [rc, rc2].flatMap((masked, half) =>
      Array.from({ length: halves[half] as number }, (_, copy) =>
        signedLeaf(place, keys[half] as (typeof keys)[0], fromSigned(masked + BigInt(copy))),
      ),
    );
  });
  return leaves.sort(compareBytes);
}

/** The readings block of a period: a fault wherever a half of a listed meter is missing. */
export function readingsDraft(
  params: Params,
  place: Place,
  listed: readonly Meter[],
  reports: readonly Report[],
): Timeless {
  const whole = reports.filter(({ halves }) => halves[0] > 0 && halves[1] > 0);
  return {
    ...{ region: place.region, kind: KIND.readings, params: params.version, period: place.period },
    aggFault: whole.length < listed.length,
    leaves: leavesOf(place, reports),
  };
}

/** "complete is both halves there, one reading each, and |c| <= maxWhPerPeriod" */
export function isCompleteReport({ consumption, halves }: Report, { maxWhPerPeriod }: Params): boolean {
  const bound = BigInt(maxWhPerPeriod);
  return halves[0] === 1 && halves[1] === 1 && consumption <= bound && consumption >= -bound;
}

/** KGCBP's release: every PRID in the block whose meter is not complete is excluded. */
export function releaseOf(params: Params, place: Place, cbh: Uint8Array, reports: readonly Report[]): Mask {
  const { region, period } = place;
  const complete = reports.filter((report) => isCompleteReport(report, params));
  const front = { region, period, cbh };
  if (complete.length < params.minReleaseMeters) {
    return { ...front, status: MASK_STATUS.tooFew, z: 0n, excluded: [] };
  }
  const excluded = reports
    .filter((report) => !complete.includes(report))
    .flatMap(({ meter, halves }) => meter.halves(place).filter((_, half) => (halves[half] as number) > 0))
    .map(({ prid }) => prid)
    .sort(compareBytes);
  const z = sum(complete.flatMap(({ meter }) => meter.halves(place).map(({ mask }) => mask)));
  return { ...front, status: MASK_STATUS.released, z, excluded };
}
