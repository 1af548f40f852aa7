import {
  encodeSigned,
  readingCodec,
  readingSecret,
  schnorr,
  signStruct,
  splitReading,
  type Period,
} from "@veilgrid/protocol";
import type { PeriodLeaves } from "./monthkeys.js";

/** Which of a period's two readings. */
export type Half = 0 | 1;

/** Both halves, in the order in which work on them begins. */
export const HALVES: readonly Half[] = [0, 1];

/** Both of a period's signed readings, 113 bytes each. */
export type SignedHalves = readonly [Uint8Array, Uint8Array];

/** Where a meter counts. */
export interface Place {
  /** The consortium id, 32 bytes: it is part of what is signed. */
  readonly consortium: Uint8Array;
  readonly region: number;
}

function signedReading(place: Place, period: Period, t: Uint8Array, rc: bigint): Uint8Array {
  const secret = readingSecret(t);
  const reading = { region: place.region, period, prid: schnorr.publicKey(secret), rc };
  return encodeSigned(signStruct("reading", place.consortium, readingCodec, reading, secret));
}

/**
 * "makes two Readings, one signed under H2(t), one under H2(t')" (PROTOCOL section 4, Data aggregation). A pure function
 * of key, period and consumption (signed Wh), so that a meter that lost everything but these sends the same bytes again.
 */
export function makeReadings(leaves: PeriodLeaves, place: Place, period: Period, consumption: bigint): SignedHalves {
  const { rc, rc2 } = splitReading(consumption, leaves.z, leaves.z2);
  return [signedReading(place, period, leaves.t, rc), signedReading(place, period, leaves.t2, rc2)];
}
