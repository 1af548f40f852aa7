import { toHex } from "../bytes.js";
import type { Period } from "../messages/period.js";

// Numbers are padded so that the order of keys is the order of numbers.
const pad = (value: number | bigint, digits: number): string => value.toString().padStart(digits, "0");
const slot = (region: number, { month, k }: Period): string => `${pad(region, 5)}/${pad(month, 6)}/${pad(k, 4)}`;
const regionMonth = (region: number, month: number): string => `${pad(region, 5)}/${pad(month, 6)}`;

/**
 * The keys of the ledger's state: one value for a region-period, never one for a reading (PROTOCOL section 8).
 * What a block carries is stored once: its header with the certificate under `header`, its leaves under `body`;
 * the other keys point there or hold a few bytes.
 */
export const stateKey = {
  consortium: "consortium",
  /** u16: the version in force. */
  paramsVersion: "params",
  params: (version: number): string => `params/${pad(version, 5)}`,
  /** u64: the block of chain 0 that holds a version above 1. */
  paramsBlock: (version: number): string => `params/${pad(version, 5)}/block`,
  term: "term",
  election: (term: bigint): string => `election/${pad(term, 20)}`,
  /** The regions that ever had an epoch. */
  regions: "regions",
  chain: (region: number): string => `chain/${pad(region, 5)}`,
  header: (region: number, number: bigint): string => `header/${pad(region, 5)}/${pad(number, 20)}`,
  body: (region: number, number: bigint): string => `body/${pad(region, 5)}/${pad(number, 20)}`,
  epochs: (region: number, month: number): string => `epochs/${regionMonth(region, month)}`,
  readings: (region: number, period: Period): string => `readings/${slot(region, period)}`,
  mask: (region: number, period: Period): string => `mask/${slot(region, period)}`,
  price: (region: number, period: Period): string => `price/${slot(region, period)}`,
  /** u32: how many periods with an epoch have their price. */
  priced: (region: number, month: number): string => `priced/${regionMonth(region, month)}`,
  bill: (bid: Uint8Array, month: number): string => `bill/${toHex(bid)}/${pad(month, 6)}`,
  fault: (region: number, period: Period): string => `fault/${slot(region, period)}`,
  verdict: (region: number, period: Period, ref: Uint8Array): string => `verdict/${slot(region, period)}/${toHex(ref)}`,
  close: (region: number, month: number): string => `close/${regionMonth(region, month)}`,
} as const;

/** All open faults lie in this range of keys. */
export const FAULT_RANGE = { start: "fault/", end: "fault0" } as const;

/** Region and period of a `fault/…` key. */
export function parseFaultKey(key: string): { region: number; period: Period } {
  const [, region, month, k] = key.split("/");
  return { region: Number(region), period: { month: Number(month), k: Number(k) } };
}
