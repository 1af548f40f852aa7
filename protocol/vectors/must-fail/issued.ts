import * as raw from "../raw.js";
import { cutAndGrown, wrongPeriods, type MustFail } from "./case.js";

const [low, high] = [raw.fill(32, 0x11), raw.fill(32, 0x12)];

const MASK: readonly MustFail[] = [
  ...cutAndGrown("mask", raw.mask()),
  ...wrongPeriods("mask", (period) => raw.mask({ period })),
  ["mask", "region 0", raw.mask({ region: 0 })],
  ["mask", "status 0", raw.mask({ status: 0 })],
  ["mask", "status 3", raw.mask({ status: 3 })],
  ["mask", "too few, and yet a Z", raw.mask({ status: 2, excluded: [] })],
  ["mask", "too few, and yet exclusions", raw.mask({ status: 2, z: 0n })],
  ["mask", "a PRID of 31 bytes", raw.mask({ excluded: [low.subarray(1)] })],
  ["mask", "PRIDs that do not ascend", raw.mask({ excluded: [high, low] })],
  ["mask", "a PRID twice", raw.mask({ excluded: [low, low] })],
];

const PRICE: readonly MustFail[] = [
  ...cutAndGrown("price", raw.price()),
  ...wrongPeriods("price", (period) => raw.price({ period })),
  ["price", "region 0", raw.price({ region: 0 })],
  ["price", "basis 0", raw.price({ basis: 0 })],
  ["price", "basis 6", raw.price({ basis: 6 })],
  ["price", "a consumption for too few", raw.price({ basis: 2 })],
  ["price", "a consumption before a late release", raw.price({ basis: 3 })],
  ["price", "a consumption of an empty block", raw.price({ basis: 4 })],
  ["price", "a consumption without an epoch", raw.price({ basis: 5, cbh: raw.fill(32, 0) })],
  ["price", "no epoch, and yet a block", raw.price({ basis: 5, consumption: 0n })],
  ["price", "measured in no block", raw.price({ cbh: raw.fill(32, 0) })],
];

const BILLS: readonly MustFail[] = [
  ...cutAndGrown("bills", raw.bills()),
  ["bills", "a month before January 1970", raw.bills({ month: 12 * 1970 - 1 })],
  ["bills", "a month after December 9999", raw.bills({ month: 12 * 10_000 })],
  ["bills", "no entry", raw.bills({ entries: [] })],
  ["bills", "an entry cut off by the end of the vector", raw.bills({ entries: [raw.billEntry(1).subarray(0, -1)] })],
  ["bills", "entries that do not ascend by BID", raw.bills({ entries: [raw.billEntry(2), raw.billEntry(1)] })],
  ["bills", "a BID twice", raw.bills({ entries: [raw.billEntry(1), raw.billEntry(1, raw.fill(36, 9))] })],
  ["bills", "no CID", raw.bills({ entries: [raw.billEntry(1, new Uint8Array())] })],
  ["bills", "a CID of 65 bytes", raw.bills({ entries: [raw.billEntry(1, raw.fill(65, 1))] })],
];

const VERDICT: readonly MustFail[] = [
  ...cutAndGrown("verdict", raw.verdict()),
  ...wrongPeriods("verdict", (period) => raw.verdict({ period })),
  ["verdict", "region 0", raw.verdict({ region: 0 })],
];

const CLOSE: readonly MustFail[] = [
  ...cutAndGrown("close", raw.close()),
  ["close", "region 0", raw.close({ region: 0 })],
  ["close", "a month before January 1970", raw.close({ month: 12 * 1970 - 1 })],
  ["close", "a month after December 9999", raw.close({ month: 12 * 10_000 })],
];

/** What is refused of what KGCBP and CC issue. */
export const ISSUED: readonly MustFail[] = [...MASK, ...PRICE, ...BILLS, ...VERDICT, ...CLOSE];
