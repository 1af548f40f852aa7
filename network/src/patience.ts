import { paramsDefaults } from "@veilgrid/protocol";
import { readRecord, type NetworkRecord } from "./record.js";
import type { Site } from "./site.js";

/**
 * Signatures that a chaincode service verifies in a second. Of the engines that are chosen without being asked for,
 * WASM is the slowest, and did 2,500 on one core of a busy machine (2026-11-22); the native one does five times as many.
 */
const SIGNATURES_PER_SECOND = 2500;

/**
 * Seconds that a gateway waits for one organisation's endorsement. One that does not answer costs each transaction this
 * long, one that is given up too early makes good blocks fail: three times what the slowest honest one takes, which
 * verifies four signatures for each meter of the largest region, and never less than 5 s: a region of 1,000 meters, the
 * default, takes 4.8 s by this rule, and one of 5,000, the most, 24 s.
 */
export function endorsementSeconds(maxRegionMeters: number): number {
  return Math.max(5, Math.ceil((3 * 4 * maxRegionMeters) / SIGNATURES_PER_SECOND));
}

/** The region that the peers of a network are patient enough for, in meters. */
export function regionMeters({ maxRegionMeters }: NetworkRecord): number {
  return Math.max(paramsDefaults.maxRegionMeters, maxRegionMeters ?? 0);
}

/** How long the gateways of a network wait for an organisation, in seconds. */
export function gatewayPatience(site: Site): number {
  return endorsementSeconds(regionMeters(readRecord(site.folder)));
}
