import {
  MASK_STATUS,
  compareBytes,
  countedReadings,
  decodeReadingLeaf,
  H3,
  leaf,
  deriveSeeds,
  pridOf,
  pridSum,
  pridSumFromScalars,
  sub,
  sum,
  toHex,
  toSigned,
  unmask,
  add,
  type ReadingLeaf,
} from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { EpochKeys } from "../../src/kgcbp/epoch-keys.js";
import type { EpochRecord } from "../../src/kgcbp/epoch-record.js";
import { Register } from "../../src/kgcbp/register.js";
import { isReleaseDue, releaseOf } from "../../src/kgcbp/release.js";
import { MeterSeeds } from "../../src/kgcbp/seeds.js";
import { decodeSettlement, encodeSettlement } from "../../src/kgcbp/settlement.js";
import { tally, type Outcome } from "../../src/kgcbp/tally.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, readingsOf, signed, type Home } from "../support/homes.js";
import { keysOf } from "../support/sealed.js";

const CONSORTIUM = new Uint8Array(32).fill(7);
const FIRST = { month: 12 * 2026 + 2, k: 1344 };
const BOUND = 50_000;
const METERS = 8;
const params = paramsOf({ maxWhPerPeriod: BOUND });
const cbh = new Uint8Array(32).fill(9);

interface Fixture {
  readonly homes: readonly Home[];
  readonly keys: EpochKeys;
}

async function fixture(): Promise<Fixture> {
  const names = Array.from({ length: METERS }, (_, i) => `home ${i}`);
  const homes = await Promise.all(names.map((name) => homeOf(name, 1, FIRST, undefined)));
  homes.sort((a, b) => compareBytes(a.enrolment.bid, b.enrolment.bid));
  const store = await keysOf(CONSORTIUM);
  const register = await Register.open(store);
  for (const { enrolment, monthKey } of homes) await register.enrol(enrolment, monthKey);
  const members = homes.map(({ enrolment }) => ({ bid: enrolment.bid, from: enrolment.from, begins: true }));
  const record: EpochRecord = { region: 1, first: FIRST, periods: 2, params: 1, members };
  return { homes, keys: await EpochKeys.derive(record, new MeterSeeds(CONSORTIUM, register, store)) };
}

/** What one meter's readings do in a block: how often each half stands there, and what it measured. */
interface Pattern {
  readonly halves: readonly [number, number];
  readonly consumption: bigint;
}

const pattern: fc.Arbitrary<Pattern> = fc.record({
  halves: fc.oneof(
    { weight: 4, arbitrary: fc.constant<[number, number]>([1, 1]) },
    { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })) },
  ),
  consumption: fc.oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: -BigInt(BOUND), max: BigInt(BOUND) }) },
    { weight: 1, arbitrary: fc.bigInt({ min: BigInt(BOUND) + 1n, max: 1n << 62n }) },
    { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 62n), max: -BigInt(BOUND) - 1n }) },
  ),
});

describe("mask release", () => {
  let homes: readonly Home[];
  let keys: EpochKeys;
  before(async () => {
    ({ homes, keys } = await fixture());
  });

  /** The leaves of period FIRST + 1, in the order of a block. A second reading under a PRID has another value. */
  function blockOf(patterns: readonly Pattern[]): ReadingLeaf[] {
    const period = { ...FIRST, k: FIRST.k + 1 };
    const leaves = patterns.flatMap(({ halves, consumption }, i) => {
      const home = homes[i] as Home;
      const both = readingsOf(home, CONSORTIUM, period, consumption);
      const seeds = deriveSeeds(home.monthKey, CONSORTIUM, FIRST.month);
      return halves.flatMap((count, half) => {
        const t = leaf(half === 0 ? seeds.s0 : seeds.s1, period.k);
        const second = signed(1, period, t, 77n, CONSORTIUM);
        return [both[half] as Uint8Array, second].slice(0, count);
      });
    });
    return leaves.sort(compareBytes).map(decodeReadingLeaf);
  }

  function expectedState({ halves: [a, b], consumption }: Pattern): Outcome["state"] {
    if (a > 1 || b > 1) return "repeated";
    if (a === 0 && b === 0) return "silent";
    if (a === 0 || b === 0) return "half";
    const magnitude = consumption < 0n ? -consumption : consumption;
    return magnitude <= BigInt(BOUND) ? "complete" : "implausible";
  }

  it("derives the PRIDs, masks and T that the meters' own seeds give", () => {
    const seeds = homes.map((home) => deriveSeeds(home.monthKey, CONSORTIUM, FIRST.month));
    for (const offset of [0, 1]) {
      const k = FIRST.k + offset;
      const all = seeds.flatMap(({ s0, s1 }) => [pridOf(leaf(s0, k)), pridOf(leaf(s1, k))]).sort(compareBytes);
      expect(keys.list(offset).map(toHex)).to.deep.equal(all.map(toHex));
      seeds.forEach(({ r0, r1 }, member) => {
        expect(keys.mask(offset, member)).to.equal(add(H3(leaf(r0, k)), H3(leaf(r1, k))));
      });
      const t = pridSum(all);
      expect(toHex(pridSumFromScalars([keys.exponent(offset)]) as Uint8Array)).to.equal(toHex(t as Uint8Array));
    }
  });

  it("unmasks to the sum of the complete meters, whatever is missing, doubled or out of bounds", () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: METERS, maxLength: METERS }), (patterns) => {
        const leaves = blockOf(patterns);
        const outcomes = tally(keys, 1, leaves, BOUND);
        expect(outcomes.map(({ state }) => state)).to.deep.equal(patterns.map(expectedState));
        const complete = patterns.filter((one) => expectedState(one) === "complete");
        const block = { region: 1, period: { ...FIRST, k: FIRST.k + 1 }, cbh, aggFault: true, leaves };
        const mask = releaseOf(block, keys, outcomes, params);
        if (leaves.length === 0) {
          expect(mask).to.equal(undefined);
          return;
        }
        if (complete.length < params.minReleaseMeters) {
          expect(mask).to.deep.include({ status: MASK_STATUS.tooFew, z: 0n, excluded: [] });
          return;
        }
        const counted = countedReadings(leaves, mask?.excluded ?? []);
        expect(counted).to.have.lengthOf(2 * complete.length);
        const released = toSigned(sub(sum(counted.map(({ rc }) => rc)), mask?.z ?? 0n));
        expect(released).to.equal(complete.reduce((all, { consumption }) => all + consumption, 0n));
        // Excluded are exactly the block's PRIDs of the others, ascending.
        const others = leaves
          .map(({ prid }) => toHex(prid))
          .filter((prid) => !counted.some((reading) => toHex(reading.prid) === prid));
        expect((mask?.excluded ?? []).map(toHex)).to.deep.equal([...new Set(others)]);
      }),
      { numRuns: 60 },
    );
  });

  it("names a PRID that is no meter's among the excluded", () => {
    const period = { ...FIRST, k: FIRST.k + 1 };
    const foreign = signed(1, period, new Uint8Array(32).fill(1), 5n, CONSORTIUM);
    const patterns = homes.map((): Pattern => ({ halves: [1, 1], consumption: 100n }));
    const leaves = [...blockOf(patterns), decodeReadingLeaf(foreign)].sort((a, b) => compareBytes(a.prid, b.prid));
    const outcomes = tally(keys, 1, leaves, BOUND);
    const mask = releaseOf({ region: 1, period, cbh, aggFault: true, leaves }, keys, outcomes, params);
    expect(mask?.excluded.map(toHex)).to.deep.equal([toHex(pridOf(new Uint8Array(32).fill(1)))]);
  });

  it("is the same for a KGCBP that derived its keys again", async () => {
    const again = await fixture();
    const leaves = blockOf(homes.map((_, i): Pattern => ({ halves: [1, i === 3 ? 0 : 1], consumption: BigInt(i) })));
    const block = { region: 1, period: { ...FIRST, k: FIRST.k + 1 }, cbh, aggFault: true, leaves };
    const [one, two] = [keys, again.keys].map((of) => releaseOf(block, of, tally(of, 1, leaves, BOUND), params));
    expect(two).to.deep.equal(one);
  });

  it("is due after every commit but an empty block's, and upfront only as the correction of a fault", () => {
    const upfront = paramsOf({ release: "upfront" });
    const due = [
      isReleaseDue({ count: 0, aggFault: true }, 0, params),
      isReleaseDue({ count: 3, aggFault: true }, 0, params),
      isReleaseDue({ count: 16, aggFault: false }, 8, params),
      isReleaseDue({ count: 16, aggFault: false }, 8, upfront),
      isReleaseDue({ count: 15, aggFault: true }, 7, upfront),
      isReleaseDue({ count: 9, aggFault: true }, 4, upfront),
    ];
    expect(due).to.deep.equal([false, true, true, false, true, false]);
  });

  it("keeps settlements in nine bytes a meter", () => {
    const outcomes: Outcome[] = [
      { state: "complete", consumption: -1250n },
      { state: "silent" },
      { state: "half" },
      { state: "repeated" },
      { state: "implausible" },
    ];
    const bytes = encodeSettlement(outcomes);
    expect(bytes).to.have.lengthOf(45);
    expect(decodeSettlement(bytes)).to.deep.equal(outcomes);
    expect(() => decodeSettlement(new Uint8Array(9).fill(9))).to.throw("an unknown state");
  });

  it("opens a consumption as the bill's own arithmetic does", () => {
    const home = homes[0] as Home;
    const period = { ...FIRST, k: FIRST.k + 1 };
    const [a, b] = readingsOf(home, CONSORTIUM, period, -158_000n).map(decodeReadingLeaf) as [ReadingLeaf, ReadingLeaf];
    const { r0, r1 } = deriveSeeds(home.monthKey, CONSORTIUM, FIRST.month);
    expect(unmask(a.rc, b.rc, leaf(r0, period.k), leaf(r1, period.k))).to.equal(-158_000n);
    const leaves = [a, b].sort((x, y) => compareBytes(x.prid, y.prid));
    expect(tally(keys, 1, leaves, 158_000)[0]).to.deep.equal({ state: "complete", consumption: -158_000n });
    expect(tally(keys, 1, leaves, 157_999)[0]).to.deep.equal({ state: "implausible" });
  });
});
