import { expect } from "chai";
import fc from "fast-check";
import { H1, H3, add, fromSigned, splitReading, sub, sum, toHex, toSigned, unmask } from "@veilgrid/protocol";
import { bytes32, signed64 } from "./arbitraries.js";

const z = new Uint8Array(32).fill(3);
const z2 = new Uint8Array(32).fill(4);

/** How often each of the 16 values of the highest four bits occurs, of 16 expected each on average. */
function highBits(values: readonly bigint[]): number[] {
  const counts = new Array<number>(16).fill(0);
  for (const value of values) counts[Number(value >> 60n)] = (counts[Number(value >> 60n)] as number) + 1;
  return counts;
}

/** Pearson's chi-squared against the uniform distribution; above 60 at 15 degrees has a chance below 1e-6. */
function chiSquared(counts: readonly number[]): number {
  const mean = counts.reduce((a, b) => a + b) / counts.length;
  return counts.reduce((total, count) => total + (count - mean) ** 2 / mean, 0);
}

describe("split and masked readings", () => {
  it("follow the protocol's formula", () => {
    const slice = BigInt(`0x${toHex(H1("veilgrid/1/split", z).subarray(0, 8))}`);
    const { rc, rc2 } = splitReading(-7n, z, z2);
    expect(rc).to.equal(add(slice, H3(z)));
    expect(rc2).to.equal(add(sub(fromSigned(-7n), slice), H3(z2)));
  });

  it("give back any consumption, negative ones too", () => {
    fc.assert(
      fc.property(signed64, bytes32, bytes32, (c, mask, mask2) => {
        const { rc, rc2 } = splitReading(c, mask, mask2);
        expect(unmask(rc, rc2, mask, mask2)).to.equal(c);
      }),
    );
  });

  it("sum up over a region to the sum of consumptions", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -200_000, max: 200_000 }), bytes32, bytes32)), (meters) => {
        const halves = meters.flatMap(([c, a, b]) => Object.values(splitReading(BigInt(c), a, b)) as bigint[]);
        const masks = meters.flatMap(([, a, b]) => [H3(a), H3(b)]);
        const total = toSigned(sub(sum(halves), sum(masks)));
        expect(total).to.equal(BigInt(meters.reduce((all, [c]) => all + c, 0)));
      }),
    );
  });

  it("are a pure function: no period is ever masked twice with different values", () => {
    expect(splitReading(1234n, z, z2)).to.deep.equal(splitReading(1234n, z.slice(), z2.slice()));
  });

  it("look uniform, each half alone, for a constant consumption", () => {
    const leaf = (i: number, side: number): Uint8Array => H1("split test", Uint8Array.of(i & 255, i >> 8, side));
    const pairs = Array.from({ length: 4096 }, (_, i) => splitReading(0n, leaf(i, 0), leaf(i, 1)));
    expect(chiSquared(highBits(pairs.map(({ rc }) => rc)))).to.be.below(60);
    expect(chiSquared(highBits(pairs.map(({ rc2 }) => rc2)))).to.be.below(60);
  });

  it("need both masks: with one wrong the consumption does not come out", () => {
    const { rc, rc2 } = splitReading(500n, z, z2);
    expect(unmask(rc, rc2, z, z)).to.not.equal(500n);
    expect(unmask(rc, rc2, z2, z)).to.equal(500n); // the sum of both masks is what counts
  });
});
