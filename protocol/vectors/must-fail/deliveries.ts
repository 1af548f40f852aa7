import * as raw from "../raw.js";
import { cutAndGrown, wrongPeriods, type MustFail } from "./case.js";

const at = (k: number): Uint8Array => raw.chain({ first: { month: raw.MONTH, k } });

/** What no meter takes for a delivery of keys. */
export const DELIVERIES: readonly MustFail[] = [
  ...cutAndGrown("delivery", raw.delivery()),
  ...wrongPeriods("delivery", (first) => raw.delivery({ chains: [raw.chain({ first })] })),
  ["delivery", "v = 2", raw.delivery({ v: 2 })],
  ["delivery", "params 0", raw.delivery({ params: 0 })],
  ["delivery", "a meter without a name", raw.delivery({ meter: new Uint8Array() })],
  ["delivery", "a meter's name that is not UTF-8", raw.delivery({ meter: raw.fill(3, 0xff) })],
  ["delivery", "no device", raw.delivery({ device: new Uint8Array() })],
  ["delivery", "a device of another kind of recipient", raw.delivery({ device: raw.ascii(`age1${"q".repeat(59)}`) })],
  ["delivery", "a device in upper case", raw.delivery({ device: raw.ascii(`AGE1${"Q".repeat(58)}`) })],
  ["delivery", "serial 0", raw.delivery({ serial: 0 })],
  ["delivery", "keep = 2", raw.delivery({ keep: 2 })],
  ["delivery", "no chain", raw.delivery({ chains: [] })],
  ["delivery", "256 chains", raw.delivery({ chains: raw.manyChains(256) })],
  ["delivery", "a key of 31 bytes", raw.delivery({ chains: [raw.chain({ key: raw.fill(31, 1) })] })],
  ["delivery", "a key of 33 bytes", raw.delivery({ chains: [raw.chain({ key: raw.fill(33, 1) })] })],
  ["delivery", "region 0", raw.delivery({ chains: [raw.chain({ region: 0 })] })],
  ["delivery", "chains that do not ascend", raw.delivery({ chains: [at(6), at(5)] })],
  ["delivery", "two chains from one period", raw.delivery({ chains: [at(5), at(5)] })],
  ...cutAndGrown("delivery-1800", raw.delivery()),
  [
    "delivery-1800",
    "a quarter where periods are half-hours",
    raw.delivery({ chains: [raw.chain({ first: { month: raw.MONTH, k: 1488 } })] }),
  ],
];
