import { expect } from "chai";
import { H3, RING, fromSigned, leaves, sha256, splitReading, sub, unmask, utf8 } from "@veilgrid/protocol";
import {
  advantage,
  allDraws,
  chiSquare,
  explanations,
  intoRange,
  paperAdvantage,
  paperHalves,
  ringHalves,
  tally,
} from "../../src/paper/masking.js";

/*
 * The paper (section 5, Setup and Data aggregation; theorem 1): slices and masks are whole numbers in [-2^31, 2^31], and
 * theorem 1 says that nobody tells a half from a random number.
 * Ours (PROTOCOL section 4, Data aggregation): all of it in Z_2^64, where both halves are exactly uniform.
 */

/** The paper's φ2. */
const BOUND = 1n << 31n;
/** The most that the paper's second half can be without any consumption. */
const EDGE = 2n * BOUND;

/** The leaves z and z' of 4,096 periods. */
const [Z, Z2] = ["r", "r'"].map((seed) => leaves(sha256(utf8(seed)), 0, 4096)) as [Uint8Array[], Uint8Array[]];

/** A number in [0, 16) of each period. */
function eachPeriod(of: (z: Uint8Array, z2: Uint8Array) => bigint): number[] {
  return Z.map((z, k) => Number(of(z, Z2[k] as Uint8Array)));
}

describe("H1: sums of masks from a range have edges", () => {
  it("the paper's rule gives way", () => {
    // Beyond the edge one half alone is a proof: nobody can have sent it who consumed less than 900 Wh.
    const { rc2 } = paperHalves(900n, { slice: -BOUND, mask: 0n, mask2: BOUND });
    expect(rc2).to.equal(EDGE + 900n);
    expect([0n, 899n, 900n].map((c) => explanations(rc2, c, BOUND))).to.deep.equal([0n, 0n, 1n]);
    // Within it some consumptions are likelier than others. All draws of a range of 9 numbers: 4 Wh or nothing?
    const [none, some] = [0n, 4n].map((c) => [...allDraws(-4n, 4n)].map((drawn) => paperHalves(c, drawn).rc2));
    expect(advantage(none as bigint[], some as bigint[])).to.be.closeTo(paperAdvantage(4, 4), 1e-12);
    expect(paperAdvantage(4, 4)).to.be.closeTo(0.395, 0.0005);
    // At the paper's own size: an advantage of 1 in 21,000 with one half of the highest consumption, and not negligible.
    expect(paperAdvantage(200_000, 2 ** 31)).to.be.closeTo(4.657e-5, 1e-8);
    // And a half is far from a random number: by sixteenths, chi-square of 4,096 periods is 1,344 where 15 are due.
    const sixteenths = eachPeriod((z, z2) => {
      const mask2 = intoRange(H3(z2), BOUND);
      const half = paperHalves(0n, { slice: intoRange(H3(z), BOUND), mask: 0n, mask2 }).rc2;
      return (half + EDGE) / (EDGE / 8n);
    });
    expect(chiSquare(sixteenths, 16)).to.be.within(1_100, 1_600);
  });

  it("ours holds", () => {
    // All draws in a ring of 8: both halves together are the same sample whatever was consumed.
    const of = (c: bigint): string[] =>
      [...allDraws(0n, 7n)].map((drawn) => Object.values(ringHalves(c, drawn, 8n)).join(" "));
    const none = of(0n);
    expect([...tally(none).values()]).to.deep.equal(Array.from({ length: 64 }, () => 8));
    for (let c = 1n; c < 8n; c += 1n) expect(advantage(none, of(c)), `${c} of 8`).to.equal(0);
    // The meters do the same in Z_2^64: for halves that are given, every consumption has exactly one mask.
    const [z, z2] = [Z[0], Z2[0]] as [Uint8Array, Uint8Array];
    const halves = splitReading(900n, z, z2);
    expect(unmask(halves.rc, halves.rc2, z, z2)).to.equal(900n);
    const slice = sub(halves.rc, H3(z));
    const consumptions = [0n, 899n, 900n, 200_000n, -200_000n, (1n << 63n) - 1n, -(1n << 63n)];
    const masks = consumptions.map((c) => sub(halves.rc2, sub(fromSigned(c), slice)));
    for (const [i, mask2] of masks.entries()) {
      const explained = ringHalves(consumptions[i] as bigint, { slice, mask: H3(z), mask2 }, RING);
      expect(explained, `${consumptions[i]} Wh`).to.deep.equal(halves);
    }
    expect(masks[2]).to.equal(H3(z2));
    expect(new Set(masks).size).to.equal(consumptions.length);
    // And their halves are level: with 15 degrees of freedom chi-square is above 37.7 once in a thousand.
    for (const c of [0n, 200_000n]) {
      const sixteenths = eachPeriod((one, other) => splitReading(c, one, other).rc2 >> 60n);
      expect(chiSquare(sixteenths, 16), `${c} Wh`).to.be.below(37.7);
    }
  });
});
