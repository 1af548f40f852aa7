import { concat } from "../../src/index.js";
import * as raw from "../raw.js";
import { cutAndGrown, wrongPeriods, type MustFail } from "./case.js";

function members(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => raw.member("x".repeat(64 - (i % 2)) + String(i), i + 1));
}

const [first, second] = [raw.member("OrgDA0MSP", 0xa0), raw.member("OrgDA1MSP", 0xa1)];

/** Params and params leaves. */
const PARAMS: readonly MustFail[] = [
  ...cutAndGrown("params", raw.params()),
  ["params", "v = 0", raw.params({ v: 0 })],
  ["params", "v = 2", raw.params({ v: 2 })],
  ["params", "version 0", raw.params({ version: 0 })],
  ["params", "no channel name", raw.params({ channel: "" })],
  ["params", "a channel name of 250 bytes", raw.params({ channel: "c".repeat(250) })],
  ["params", "a space in the channel name", raw.params({ channel: "veil grid" })],
  ["params", "a channel name that is not ASCII", raw.params({ channel: "veilgr\u{ef}d" })],
  ["params", "no DA", raw.params({ da: [] })],
  ["params", "4,096 bytes of DAs and more", raw.params({ da: members(43) })],
  ["params", "a DA's member cut off by the end of its vector", raw.params({ da: [first, second.subarray(0, -1)] })],
  ["params", "no MSP name", raw.params({ da: [raw.member("", 0xa0), second] })],
  ["params", "an MSP name of 65 bytes", raw.params({ cc: raw.member("m".repeat(65), 0xcc) })],
  ["params", "a space in an MSP name", raw.params({ kgcbp: raw.member("Org KGCBP", 0xbb) })],
  ["params", "a control character in an MSP name", raw.params({ cc: raw.member("Org\u{7f}", 0xcc) })],
  ["params", "an MSP id twice among da", raw.params({ da: [first, raw.member("OrgDA0MSP", 0xa1)] })],
  ["params", "a key twice among da", raw.params({ da: [first, raw.member("OrgDA1MSP", 0xa0)] })],
  ["params", "cc with a DA's key", raw.params({ cc: raw.member("OrgCCMSP", 0xa0) })],
  ["params", "kgcbp with cc's key", raw.params({ kgcbp: raw.member("OrgKGCBPMSP", 0xcc) })],
  ["params", "periodSeconds 3600", raw.params({ periodSeconds: 3600 })],
  ["params", "minReleaseMeters 4", raw.params({ minReleaseMeters: 4 })],
  ["params", "maxRegionMeters below minReleaseMeters", raw.params({ maxRegionMeters: 9 })],
  ["params", "maxRegionMeters 5001", raw.params({ maxRegionMeters: 5001 })],
  ["params", "release 2", raw.params({ release: 2 })],
  ["params", "completeness 2", raw.params({ completeness: 2 })],
  ["params", "bitsPerElement 0", raw.params({ bitsPerElement: 0 })],
  ["params", "indices 0", raw.params({ indices: 0 })],
  ["params-leaf", "nothing at all", new Uint8Array()],
  ["params-leaf", "63 bytes of signature", raw.signed(raw.params()).subarray(0, -1)],
  ["params-leaf", "more signatures than keys", concat(raw.params(), raw.fill(7 * 64, 0x55))],
  ["params-leaf", "a parameter set that is none", raw.signed(raw.params({ minReleaseMeters: 4 }))],
];

/** Epochs under the first `params` of structs.json. */
const EPOCH: readonly MustFail[] = [
  ...cutAndGrown("epoch", raw.epoch()),
  ...cutAndGrown("epoch-upfront-sum", raw.epoch({ tail: raw.UPFRONT_SUM_TAIL })),
  ...wrongPeriods("epoch", (period) => raw.epoch({ first: period })),
  ["epoch", "v = 2", raw.epoch({ v: 2 })],
  ["epoch", "region 0", raw.epoch({ region: 0 })],
  ["epoch", "k = 1488, though the parameter set has half-hours", raw.epoch({ first: { month: raw.MONTH, k: 1488 } })],
  ["epoch", "no period", raw.epoch({ periods: 0, tail: [] })],
  ["epoch", "fewer entries than it says", raw.epoch({ periods: 3 })],
  ["epoch", "periods of two UTC days", raw.epoch({ first: { month: raw.MONTH, k: 47 } })],
  ["epoch", "params 0", raw.epoch({ params: 0 })],
  ["epoch", "another params version than it is read under", raw.epoch({ params: 2 })],
  ["epoch", "no meter", raw.epoch({ meters: 0, leaves: 0, seedRoot: raw.EMPTY_ROOT, tail: [raw.fill(64, 1)] })],
  ["epoch", "meters that its filters are not made for", raw.epoch({ meters: 11 })],
  ["epoch", "1,001 meters where 1,000 are allowed", raw.epoch({ periods: 1, meters: 1001, tail: [raw.fill(7290, 1)] })],
  ["epoch", "more leaves than meters", raw.epoch({ leaves: 13 })],
  ["epoch", "a seed root without leaves", raw.epoch({ leaves: 0 })],
  ["epoch", "Z and bf2 in modes that have none", raw.epoch({ tail: raw.UPFRONT_SUM_TAIL })],
  ["epoch-upfront-sum", "neither Z nor bf2 in modes that have both", raw.epoch()],
  ["epoch-upfront-sum", "no bf2", raw.epoch({ tail: raw.UPFRONT_SUM_TAIL.slice(0, -1) })],
];

/** What is refused of the structs that come before any reading. */
export const SETUP: readonly MustFail[] = [...PARAMS, ...EPOCH];
