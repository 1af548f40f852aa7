import { concat } from "../../src/index.js";
import * as raw from "../raw.js";
import { cutAndGrown, wrongPeriods, type MustFail } from "./case.js";

const READING: readonly MustFail[] = [
  ...cutAndGrown("reading", raw.reading()),
  ...wrongPeriods("reading", (period) => raw.reading({ period })),
  ["reading", "v = 0", raw.reading({ v: 0 })],
  ["reading", "region 0", raw.reading({ region: 0 })],
  [
    "reading-1800",
    "k = 1488 in March 2026, whose last half-hour is 1487",
    raw.reading({ period: { month: raw.MONTH, k: 1488 } }),
  ],
];

const ACK: readonly MustFail[] = [
  ...cutAndGrown("ack", raw.ack()),
  ...wrongPeriods("ack", (period) => raw.ack({ period })),
  ["ack", "params 0", raw.ack({ params: 0 })],
  ["ack", "region 0", raw.ack({ region: 0 })],
  ["ack", "count 0", raw.ack({ count: 0 })],
  ["ack", "count 257", raw.ack({ count: 257 })],
];

type Entry = NonNullable<Parameters<typeof raw.receiptEntry>[0]>;

/** A receipt of three entries for DAs 0, 1 and 3, the last of them changed. */
function receipt(last: Entry, da = 3): Uint8Array {
  const good = [0, 1].map((index) => raw.receiptEntry({ ack: raw.ack({ da: index }) }));
  return concat(...good, raw.receiptEntry({ ack: raw.ack({ da }), ...last }));
}

const [sibling, above] = [raw.fill(32, 1), raw.fill(32, 2)];

const RECEIPT: readonly MustFail[] = [
  ...cutAndGrown("receipt", receipt({})),
  ["receipt", "two acks, not Q", concat(...[0, 1].map((da) => raw.receiptEntry({ ack: raw.ack({ da }) })))],
  ["receipt", "four acks, not Q", concat(...[0, 1, 2, 3].map((da) => raw.receiptEntry({ ack: raw.ack({ da }) })))],
  ["receipt", "a DA twice", receipt({}, 1)],
  ["receipt", "acks that do not ascend by da", receipt({}, 0)],
  ["receipt", "acks of two params versions", receipt({ ack: raw.ack({ da: 3, params: 2 }) })],
  ["receipt", "acks of two regions", receipt({ ack: raw.ack({ da: 3, region: 2 }) })],
  ["receipt", "acks of two periods", receipt({ ack: raw.ack({ da: 3, period: { month: raw.MONTH, k: 6 } }) })],
  ["receipt", "an ack of no reading", receipt({ ack: raw.ack({ da: 3, count: 0 }) })],
  ["receipt", "an index behind the last reading", receipt({ index: 3 })],
  ["receipt", "a path too short for its leaf", receipt({ path: [sibling] })],
  ["receipt", "a path too long for its leaf", receipt({ index: 2, path: [sibling, above] })],
  ["receipt", "a hash of 31 bytes in a path", receipt({ path: [sibling, above.subarray(1)] })],
  ["receipt", "a path of 288 bytes", receipt({ path: [raw.fill(288, 1)] })],
];

const ANSWER: readonly MustFail[] = [
  ...cutAndGrown("answer", raw.answer()),
  ["answer", "params 0", raw.answer({ params: 0 })],
  ["answer", "class 2", raw.answer({ class: 2 })],
  ["answer", "class 6", raw.answer({ class: 6 })],
  ["answer", "code 0", raw.answer({ code: 0 })],
  ["answer", "a retry with a code of class 4", raw.answer({ class: 3, code: 16 })],
  ["answer", "a refusal with a code of class 3", raw.answer({ class: 4, code: 15 })],
  ["answer", "a refusal with a code of class 5", raw.answer({ class: 4, code: 32 })],
  ["answer", "a conflict with a code of class 4", raw.answer({ class: 5, code: 31 })],
  ["answer", "a conflict with code 48", raw.answer({ class: 5, code: 48 })],
];

/** What is refused of what goes between meters and DAs. */
export const READINGS: readonly MustFail[] = [...READING, ...ACK, ...RECEIPT, ...ANSWER];
