import { availableParallelism, loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import { schnorr, sha256, utf8, type Params } from "@veilgrid/protocol";
import type { Overview } from "./overview.js";

/** Signatures that are verified to see how fast the machine is. */
const SAMPLE = 200;
/** What a reading costs besides signatures, in verifications: a connection of its own, acks, disk, encodings. */
const OTHER_WORK = 40;
/** Each reading is signed by the meter, verified by W aggregators and by the endorsers of its block. */
const ENDORSEMENTS = 3;
/** Seconds that a period takes whatever its readings are: blocks, votes, releases, prices, each with a synced write. */
const FIXED_SECONDS = 3;
/** The machine is to be busy for so much of a period. */
const BUSY = 0.5;
const SLOWEST = 1;
const FASTEST = 1800;

/** Seconds that verifying one signature takes on this machine. */
export function verificationSeconds(): number {
  const secret = sha256(utf8("calibration"));
  const key = schnorr.publicKey(secret);
  const message = sha256(utf8("message"));
  const signature = schnorr.sign(message, secret);
  const begun = performance.now();
  for (let i = 0; i < SAMPLE; i += 1) schnorr.verify(signature, message, key);
  return (performance.now() - begun) / 1000 / SAMPLE;
}

/** A factor for a time-lapse in which this machine is expected to keep up. */
export function estimatedFactor(
  overview: Overview,
  seconds = verificationSeconds(),
  load = (loadavg()[0] as number) / availableParallelism(),
): number {
  const { meters, das, periodSeconds } = overview;
  const perReading = (1 + das.length + ENDORSEMENTS + OTHER_WORK) * seconds;
  const work = (2 * meters * perReading) / Math.min(availableParallelism(), das.length + 3);
  // What others do on this machine takes its share.
  return rounded((BUSY * periodSeconds) / ((FIXED_SECONDS + work) * (1 + load)));
}

/** Two digits, so that whoever reads it can repeat it. */
function rounded(factor: number): number {
  const within = Math.min(FASTEST, Math.max(SLOWEST, factor));
  return Number(within.toPrecision(2));
}

/** How a factor did. */
export interface Load {
  /** The longest time, in the consortium's milliseconds, from a period's freezing to its block. */
  readonly latency: number;
  /** Readings that did not come in time. */
  readonly missing: number;
}

/** Share of the time from a period's freezing to the next one's that a block may take. */
const COMFORT = 0.5;

/**
 * A better factor after some periods have gone by; the same where it does.
 * @param load of those periods.
 */
export function adaptedFactor(factor: number, { latency, missing }: Load, params: Params): number {
  const { periodSeconds, submissionWindow, forwardSeconds } = params;
  const room = 1000 * (1.5 * periodSeconds - submissionWindow - forwardSeconds);
  const share = latency / room;
  if (missing > 0 || share > 2 * COMFORT) return rounded(factor / 2);
  if (share < COMFORT / 4) return rounded(factor * 1.5);
  return factor;
}
