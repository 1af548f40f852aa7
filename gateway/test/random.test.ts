import { expect } from "chai";
import fc from "fast-check";
import { toHex } from "@veilgrid/protocol";
import { SeededRandom } from "../src/random.js";

describe("randomness from a seed", () => {
  const random = SeededRandom.of(7);

  it("is a function of seed and labels, whatever was drawn before", () => {
    const first = toHex(random.bytes(40, "key", 3));
    random.below(9, "other");
    expect(toHex(SeededRandom.of(7).bytes(40, "key", 3))).to.equal(first);
    expect(toHex(SeededRandom.of("7").bytes(40, "key", 3))).to.equal(first);
    expect(toHex(SeededRandom.of(8).bytes(40, "key", 3))).not.to.equal(first);
    expect(toHex(new SeededRandom(new Uint8Array(32)).bytes(8, "key"))).to.equal(
      toHex(new SeededRandom(new Uint8Array(32)).bytes(8, "key")),
    );
  });

  // Computed by another implementation of the same rule.
  it("stays what it is from release to release", () => {
    expect(toHex(random.bytes(40, "key", 3))).to.equal(
      "95e467d399cb74c1dfeec40c1aef8b1441c8402e62f87ab880360bc8f23462062d82c4e8ffb9c2a6",
    );
    expect([random.below(6, "die"), random.below(1_000_000, "draw", 1)]).to.deep.equal([0, 508403]);
  });

  it("tells labels apart by type, length and place", () => {
    const draws = [["ab", "c"], ["a", "bc"], ["abc"], ["c", "ab"], ["1"], [1], [], [""]].map((labels) =>
      toHex(random.bytes(16, ...labels)),
    );
    expect(new Set(draws).size).to.equal(draws.length);
  });

  it("gives as many bytes as asked for, the shorter a beginning of the longer", () => {
    const long = random.bytes(100, "x");
    for (const count of [0, 1, 31, 32, 33, 100]) {
      expect(random.bytes(count, "x")).to.deep.equal(long.slice(0, count));
    }
    expect(() => random.bytes(-1)).to.throw(RangeError);
    expect(() => random.bytes(1.5)).to.throw(RangeError);
  });

  it("draws below any limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 }), fc.string(), (limit, label) => {
        const draw = random.below(limit, label);
        return Number.isSafeInteger(draw) && draw >= 0 && draw < limit;
      }),
    );
    for (const limit of [0, -1, 1.5, 2 ** 48 + 1, NaN]) expect(() => random.below(limit)).to.throw(RangeError);
    expect(random.below(1, "x")).to.equal(0);
  });

  it("draws each value as often as the others", () => {
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i += 1) {
      const value = random.below(6, "throw", i);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const [value, count] of counts.entries()) expect(count, `value ${value}`).to.be.within(880, 1120);
  });

  it("throws away the draws of a run that is not full", () => {
    // 2^48 - 1 is no multiple of 2^47 + 1: nearly half of the draws are thrown away, and still each is below the limit.
    for (let i = 0; i < 50; i += 1) expect(random.below(2 ** 47 + 1, i), `draw ${i}`).to.be.at.most(2 ** 47);
  });

  it("keeps the seed to itself", () => {
    expect(JSON.stringify(random)).to.equal("{}");
    const seed = new Uint8Array(32);
    const own = new SeededRandom(seed);
    const before = toHex(own.bytes(8, "x"));
    seed.fill(1);
    expect(toHex(own.bytes(8, "x"))).to.equal(before);
  });
});
