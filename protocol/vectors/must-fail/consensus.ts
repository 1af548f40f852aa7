import { concat } from "../../src/index.js";
import * as raw from "../raw.js";
import { cutAndGrown, wrongPeriods, type MustFail } from "./case.js";

const NO_PERIOD = { month: 0, k: 0 };

const HEADER: readonly MustFail[] = [
  ...cutAndGrown("header", raw.header()),
  ...wrongPeriods("header", (period) => raw.header({ period })),
  ["header", "v = 2", raw.header({ v: 2 })],
  ["header", "kind 9", raw.header({ ...raw.onChain0(9) })],
  ["header", "a readings block on the consortium's chain", raw.header({ region: 0 })],
  ["header", "a masks block on a region's chain", raw.header({ kind: 4, period: NO_PERIOD })],
  ["header", "number 0", raw.header({ number: 0n })],
  ["header", "params 0", raw.header({ params: 0 })],
  ["header", "term 0", raw.header({ term: 0n })],
  ["header", "an epoch block of two leaves", raw.header({ kind: 2 })],
  ["header", "an epoch block of no leaf", raw.header({ kind: 2, count: 0 })],
  ["header", "a params block of two leaves", raw.header(raw.onChain0(1))],
  ["header", "an empty prices block", raw.header({ ...raw.onChain0(5), count: 0 })],
  ["header", "a readings block without a period", raw.header({ period: NO_PERIOD })],
  ["header", "a bills block with a period", raw.header({ ...raw.onChain0(6), period: { month: raw.MONTH, k: 5 } })],
  ["header", "aggFault = 2", raw.header({ aggFault: 2 })],
  ["header", "aggFault off readings blocks", raw.header({ ...raw.onChain0(4), aggFault: 1 })],
  ["header", "a genesis with another prev", raw.genesis({ prev: raw.fill(32, 1) })],
  ["header", "a genesis with another root", raw.genesis({ root: raw.fill(32, 1) })],
  ["header", "a genesis of another region than its prev", raw.genesis({ region: 1 })],
  ["header", "a genesis with a number", raw.genesis({ number: 1n })],
  ["header", "a genesis with a time", raw.genesis({ ts: 1n })],
  ["header", "a genesis with a leader", raw.genesis({ leader: raw.fill(32, 1) })],
  ["header", "a genesis with a period", raw.genesis({ period: { month: raw.MONTH, k: 0 } })],
  ["header", "a genesis with a fault", raw.genesis({ aggFault: 1 })],
];

const [one, two] = [raw.readingLeaf(1, 5n), raw.readingLeaf(2, 6n)];
const three = [5n, 6n, 7n].map((rc) => raw.readingLeaf(1, rc));

const leaf = (body: Uint8Array): Uint8Array => raw.prefixed(raw.signed(body));
const regions = (make: (change: { region: number }) => Uint8Array): Uint8Array[] =>
  [2, 1].map((region) => leaf(make({ region })));
const epochHeader = { kind: 2, period: { month: raw.MONTH, k: 46 } };

const READINGS_BLOCK: readonly MustFail[] = [
  ...cutAndGrown("block", raw.block({}, one, two)),
  ["block", "leaves that do not ascend", raw.block({}, two, one)],
  ["block", "a leaf twice", raw.block({}, one, one)],
  ["block", "three leaves of one PRID", raw.block({}, ...three, two)],
  ["block", "one leaf more than the header says", raw.block({ count: 1 }, one, two)],
  ["block", "one leaf less than the header says", raw.block({ count: 3 }, one, two)],
  ["block", "more leaves than any input can hold", raw.block({ count: 0xffff_ffff }, one, two)],
  ["block", "a header that is none", raw.block({ number: 0n }, one, two)],
  ["block", "a genesis, which is a header only", concat(raw.genesis(), raw.fill(64, 0x5c))],
  [
    "block-1800",
    "a quarter where periods are half-hours",
    raw.block({ period: { month: raw.MONTH, k: 1488 } }, one, two),
  ],
];

const OTHER_BLOCKS: readonly MustFail[] = [
  ["block", "an epoch of another region", raw.block(epochHeader, leaf(raw.epoch({ region: 2 })))],
  ["block", "an epoch of another params version", raw.block(epochHeader, leaf(raw.epoch({ params: 2 })))],
  ["block", "an epoch that begins later", raw.block({ kind: 2 }, leaf(raw.epoch()))],
  ["block", "an empty leaf", raw.block(raw.onChain0(4), raw.prefixed(new Uint8Array()))],
  ["block", "a leaf without a signature", raw.block(raw.onChain0(4), raw.prefixed(raw.mask().subarray(0, 64)))],
  ["block", "a params leaf that is none", raw.block(raw.onChain0(1), leaf(raw.params({ v: 2 })))],
  ["block", "a mask that is none", raw.block(raw.onChain0(4), leaf(raw.mask({ status: 3 })))],
  ["block", "a mask in a prices block", raw.block(raw.onChain0(5), leaf(raw.mask()))],
  ["block", "masks that do not ascend", raw.block(raw.onChain0(4), ...regions(raw.mask))],
  [
    "block",
    "two masks of one period",
    raw.block(raw.onChain0(4), leaf(raw.mask({ z: 1n })), leaf(raw.mask({ z: 2n }))),
  ],
  ["block", "prices that do not ascend", raw.block(raw.onChain0(5), ...regions(raw.price))],
  ["block", "two prices of one period", raw.block(raw.onChain0(5), leaf(raw.price()), leaf(raw.price({ price: 9n })))],
  [
    "block",
    "bills that begin with the same BID",
    raw.block(raw.onChain0(6), leaf(raw.bills()), leaf(raw.bills({ month: raw.MONTH + 1 }))),
  ],
  ["block", "verdicts that do not ascend", raw.block(raw.onChain0(7), ...regions(raw.verdict))],
  [
    "block",
    "a verdict's ref twice in a period",
    raw.block(raw.onChain0(7), leaf(raw.verdict()), leaf(raw.verdict({ counts: [9, 9, 9, 9] }))),
  ],
  ["block", "closes that do not ascend", raw.block(raw.onChain0(8), ...regions(raw.close))],
  ["block", "a quarter's price under no month", raw.block(raw.onChain0(5), leaf(raw.price({ period: NO_PERIOD })))],
];

const [hashOne, hashTwo] = [raw.fill(32, 1), raw.fill(32, 2)];

const PROPOSAL: readonly MustFail[] = [
  ...cutAndGrown("proposal", raw.block({}, hashOne, hashTwo)),
  ["proposal", "a hash twice", raw.block({}, hashOne, hashTwo, hashOne)],
  ["proposal", "one hash less than the header says", raw.block({ count: 3 }, hashOne, hashTwo)],
  ["proposal", "leaves in place of hashes", raw.block({}, one, two)],
  ["proposal", "a genesis, which is a header only", concat(raw.genesis(), raw.fill(64, 0x5c))],
  ["proposal", "masks that do not ascend", raw.block(raw.onChain0(4), ...regions(raw.mask))],
  ["proposal", "an epoch of another region", raw.block(epochHeader, leaf(raw.epoch({ region: 2 })))],
];

const INCOMPLETE: readonly MustFail[] = [
  ...cutAndGrown("incomplete", raw.incomplete()),
  ["incomplete", "params 0", raw.incomplete({ params: 0 })],
  ["incomplete", "region 0", raw.incomplete({ region: 0 })],
  ["incomplete", "number 0", raw.incomplete({ number: 0n })],
  ["incomplete", "term 0", raw.incomplete({ term: 0n })],
  ["incomplete", "no reading", raw.incomplete({ missing: [] })],
  ["incomplete", "103 bytes of a reading", raw.incomplete({ missing: [one.subarray(1)] })],
  ["incomplete", "105 bytes of readings", raw.incomplete({ missing: [one, raw.fill(1, 9)] })],
  ["incomplete", "readings that do not ascend", raw.incomplete({ missing: [two, one] })],
  ["incomplete", "a reading twice", raw.incomplete({ missing: [one, one] })],
];

const VOTES: readonly MustFail[] = [
  ...cutAndGrown("vote", raw.vote()),
  ["vote", "params 0", raw.vote({ params: 0 })],
  ["vote", "number 0", raw.vote({ number: 0n })],
  ["vote", "term 0", raw.vote({ term: 0n })],
  ...cutAndGrown("timeout", raw.timeout()),
  ["timeout", "params 0", raw.timeout({ params: 0 })],
  ...cutAndGrown("election", raw.election()),
  ["election", "params 0", raw.election({ params: 0 })],
  ["election", "term 0", raw.election({ term: 0n })],
];

type Make = (signer: number) => Uint8Array;

/** Certificates of Q = 3; `other` makes a body that differs in another field than the signer. */
function certificates(what: string, make: Make, other: Make): MustFail[] {
  const of = (signers: readonly number[]): Uint8Array => concat(...signers.map((da) => raw.signed(make(da))));
  return [
    ...cutAndGrown(what, of([0, 1, 2])),
    [what, "two, not Q", of([0, 1])],
    [what, "four, not Q", of([0, 1, 2, 3])],
    [what, "a DA twice", of([0, 1, 1])],
    [what, "DAs that do not ascend", of([1, 0, 2])],
    [what, "one that differs in another field", concat(of([0, 1]), raw.signed(other(2)))],
    [what, "a body that is none", concat(of([0, 1]), raw.signed(make(2).fill(0)))],
  ];
}

const CERTIFICATES: readonly MustFail[] = [
  ...certificates(
    "vote-certificate",
    (da) => raw.vote({ da }),
    (da) => raw.vote({ da, round: 1 }),
  ),
  ...certificates(
    "timeout-certificate",
    (da) => raw.timeout({ da }),
    (da) => raw.timeout({ da, term: 1n }),
  ),
  ...certificates(
    "election-certificate",
    (voter) => raw.election({ voter }),
    (voter) => raw.election({ voter, candidate: 1 }),
  ),
];

/** What is refused of blocks, and of what DAs say about them. */
export const CONSENSUS: readonly MustFail[] = [
  ...HEADER,
  ...READINGS_BLOCK,
  ...OTHER_BLOCKS,
  ...PROPOSAL,
  ...INCOMPLETE,
  ...VOTES,
  ...CERTIFICATES,
];
