import fc from "fast-check";
import {
  FIRST_MONTH,
  LAST_MONTH,
  bloomBytes,
  compareBytes,
  comparePeriods,
  merkleRoot,
  periodsInMonth,
  toHex,
  type Ack,
  type Answer,
  type Bills,
  type Close,
  type Delivery,
  type Election,
  type Epoch,
  type EpochEntry,
  type Incomplete,
  type Mask,
  type Params,
  type Period,
  type Price,
  type Reading,
  type Timeout,
  type Verdict,
  type Vote,
} from "../../src/index.js";
import { bytes32, bytesOf, element, signed64 } from "../arbitraries.js";

/*
 * Arbitraries of the structs of PROTOCOL section 7: whatever they make is valid, and small enough to make often.
 */

/** How often a property is tried: ten times as often with SLOW set. */
export const RUNS = process.env.SLOW === undefined ? 60 : 600;

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Versions and regions. */
export const above0 = fc.integer({ min: 1, max: 0xffff });
/** Block numbers and terms. */
export const above0n = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });

/** Distinct arrays of `size` bytes, ascending. */
export function ascending(size: number, maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array[]> {
  const distinct = fc.uniqueArray(bytesOf(size), { selector: toHex, minLength, maxLength });
  return distinct.map((list) => list.sort(compareBytes));
}

/** A billing month of the years 1970 to 9999. */
export const month = fc.integer({ min: FIRST_MONTH, max: LAST_MONTH });

/** A period on the grid of `periodSeconds`. */
export function period(periodSeconds = 900): fc.Arbitrary<Period> {
  return month.chain((m) =>
    fc.record({ month: fc.constant(m), k: fc.integer({ min: 0, max: periodsInMonth(m, periodSeconds) - 1 }) }),
  );
}

const printable = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const name = (longest: number): fc.Arbitrary<string> =>
  fc.string({ unit: printable, minLength: 1, maxLength: longest });

/** Everything of a parameter set but its members. */
const numbers = fc.record({
  version: above0,
  channel: name(249),
  periodSeconds: fc.constantFrom(900, 1800),
  submissionWindow: u16,
  forwardSeconds: u16,
  roundSeconds: u16,
  releaseSeconds: u16,
  maxSkewMs: u32,
  minReleaseMeters: fc.integer({ min: 5, max: 300 }),
  maxRegionMeters: fc.integer({ min: 300, max: 5000 }),
  maxWhPerPeriod: u32,
  billBytes: u32,
  release: fc.constantFrom<Params["release"][]>("after-commit", "upfront"),
  completeness: fc.constantFrom<Params["completeness"][]>("set", "sum"),
  bitsPerElement: fc.integer({ min: 1, max: 0xff }),
  indices: fc.integer({ min: 1, max: 0xff }),
  closeMonths: u8,
  retentionMonths: u8,
  verdictDays: u8,
});

export const params: fc.Arbitrary<Params> = fc.integer({ min: 1, max: 9 }).chain((members) =>
  fc
    .record({
      names: fc.uniqueArray(name(64), { minLength: members, maxLength: members }),
      others: fc.tuple(name(64), name(64)),
      keys: fc.uniqueArray(bytes32, { selector: toHex, minLength: members + 2, maxLength: members + 2 }),
      rest: numbers,
    })
    .map(({ names, others, keys, rest }) => ({
      ...rest,
      da: names.map((msp, i) => ({ msp, key: keys[i] as Uint8Array })),
      cc: { msp: others[0], key: keys[members] as Uint8Array },
      kgcbp: { msp: others[1], key: keys[members + 1] as Uint8Array },
    })),
);

/** The first period of an epoch and how many it has: all of one UTC day. */
function days(periodSeconds: number): fc.Arbitrary<{ first: Period; periods: number }> {
  const day = 86_400 / periodSeconds;
  return period(periodSeconds).chain((first) =>
    fc.integer({ min: 1, max: Math.min(4, day - (first.k % day)) }).map((periods) => ({ first, periods })),
  );
}

function epochEntry(set: Params, meters: number): fc.Arbitrary<EpochEntry> {
  const fields = { bf1: bytesOf(bloomBytes(2 * meters, set.bitsPerElement)), set: bytes32 };
  return set.release === "upfront" ? fc.record({ ...fields, z: element }) : fc.record(fields);
}

/** An epoch under a parameter set. */
export function epoch(set: Params): fc.Arbitrary<Epoch> {
  const shape = fc.record({
    head: days(set.periodSeconds),
    meters: fc.integer({ min: 1, max: 5 }),
    region: above0,
    leaves: fc.integer({ min: 0, max: 5 }),
    root: bytes32,
  });
  return shape.chain(({ head, meters, region, leaves, root }) => {
    const count = Math.min(leaves, meters);
    const front = { region, ...head, params: set.version, meters, leaves: count };
    const entries = fc.array(epochEntry(set, meters), { minLength: head.periods, maxLength: head.periods });
    const bf2 = bytesOf(bloomBytes(head.periods, set.bitsPerElement)).map((filter) => ({ bf2: filter }));
    return fc
      .tuple(entries, set.completeness === "sum" ? bf2 : fc.constant({}))
      .map(([list, filter]) => ({ ...front, seedRoot: count === 0 ? merkleRoot([]) : root, entries: list, ...filter }));
  });
}

export const reading: fc.Arbitrary<Reading> = fc.record({
  region: above0,
  period: period(),
  prid: bytes32,
  rc: element,
});

export const ack: fc.Arbitrary<Ack> = fc.record({
  params: above0,
  da: u8,
  region: above0,
  period: period(),
  count: fc.integer({ min: 1, max: 256 }),
  root: bytes32,
});

const knownSorts = fc.constantFrom<[3 | 4 | 5, number][]>([3, 1], [3, 15], [4, 16], [4, 31], [5, 32], [5, 47]);
const betweenDas = fc.tuple(fc.constantFrom<(3 | 4)[]>(3, 4), fc.integer({ min: 48, max: 0xffff }));

export const answer: fc.Arbitrary<Answer> = fc
  .tuple(
    fc.oneof(knownSorts, betweenDas),
    fc.record({ params: above0, da: u8, readingHash: bytes32, now: element, retryAfterMs: u32 }),
  )
  .map(([[answerClass, code], rest]) => ({ ...rest, class: answerClass, code }));

export const incomplete: fc.Arbitrary<Incomplete> = fc.record({
  params: above0,
  region: above0,
  number: above0n,
  term: above0n,
  round: u32,
  da: u8,
  missing: ascending(104, 4, 1),
});

export const vote: fc.Arbitrary<Vote> = fc.record({
  params: above0,
  region: u16,
  number: above0n,
  term: above0n,
  round: u32,
  cbh: bytes32,
  da: u8,
});

export const timeout: fc.Arbitrary<Timeout> = fc.record({ params: above0, term: element, da: u8 });

export const election: fc.Arbitrary<Election> = fc.record({ params: above0, term: above0n, candidate: u8, voter: u8 });

const maskPlace = { region: above0, period: period(), cbh: bytes32 };

export const mask: fc.Arbitrary<Mask> = fc.oneof(
  fc.record({ ...maskPlace, status: fc.constant(1 as const), z: element, excluded: ascending(32, 4) }),
  fc.record({ ...maskPlace, status: fc.constant(2 as const), z: fc.constant(0n), excluded: fc.constant([]) }),
);

const pricePlace = { region: above0, period: period(), price: signed64 };
const cbh = bytes32.filter((bytes) => bytes.some((byte) => byte !== 0));
const noBlock = fc.constant(new Uint8Array(32));
const nothing = fc.constant(0n);

export const price: fc.Arbitrary<Price> = fc.oneof(
  fc.record({ ...pricePlace, basis: fc.constant(1 as const), consumption: signed64, cbh }),
  fc.record({ ...pricePlace, basis: fc.constantFrom(2 as const, 3 as const, 4 as const), consumption: nothing, cbh }),
  fc.record({ ...pricePlace, basis: fc.constant(5 as const), consumption: nothing, cbh: noBlock }),
);

const billEntry = fc.record({
  bid: bytesOf(16),
  revision: u16,
  cid: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  hash: bytes32,
});

export const bills: fc.Arbitrary<Bills> = fc.record({
  month,
  entries: fc
    .uniqueArray(billEntry, { selector: ({ bid }) => toHex(bid), minLength: 1, maxLength: 4 })
    .map((entries) => entries.sort((a, b) => compareBytes(a.bid, b.bid))),
});

export const verdict: fc.Arbitrary<Verdict> = fc.record({
  region: above0,
  period: period(),
  silent: u16,
  orphan: u16,
  implausible: u16,
  conflict: u16,
  ref: bytes32,
});

export const close: fc.Arbitrary<Close> = fc.record({ region: above0, month });

const keyChain = fc.record({ region: above0, first: period(), key: bytes32 });

export const delivery: fc.Arbitrary<Delivery> = fc.record({
  consortium: bytes32,
  params: above0,
  meter: fc.string({ minLength: 1, maxLength: 60, unit: "grapheme-composite" }),
  device: fc.constant(`age1${"q".repeat(58)}`),
  serial: fc.integer({ min: 1, max: 0xffff_ffff }),
  keep: fc.boolean(),
  chains: fc
    .uniqueArray(keyChain, { selector: ({ first }) => `${first.month}/${first.k}`, minLength: 1, maxLength: 4 })
    .map((chains) => chains.sort((a, b) => comparePeriods(a.first, b.first))),
});
