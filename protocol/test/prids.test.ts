import { expect } from "chai";
import fc from "fast-check";
import {
  BloomFilter,
  GROUP_ORDER,
  H1,
  H2,
  VeilgridError,
  compareBytes,
  concat,
  evenScalar,
  fromHex,
  pridOf,
  pridSum,
  pridSumFromScalars,
  pridSumFromSecrets,
  readingSecret,
  scalarBytes,
  scalarOf,
  schnorr,
  setCommitment,
  toHex,
} from "@veilgrid/protocol";
import { bytes32 } from "./arbitraries.js";

const period = { month: 24314, k: 1344 };
const leafOf = (i: number): Uint8Array => H1("a leaf of this test", Uint8Array.of(i & 255, i >> 8));
const hexOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? "none" : toHex(bytes));

describe("PRID", () => {
  it("is the x-only key of H2(t)", () => {
    const t = leafOf(0);
    expect(readingSecret(t)).to.deep.equal(H2(t));
    expect(pridOf(t)).to.deep.equal(schnorr.publicKey(H2(t)));
  });
});

describe("set commitment", () => {
  const prids = [leafOf(1), leafOf(2), leafOf(3)].toSorted(compareBytes);

  it("hashes region, period, count and the PRIDs", () => {
    const head = fromHex("000700005efa054000000003");
    expect(setCommitment(7, period, prids)).to.deep.equal(H1("veilgrid/1/set", concat(head, ...prids)));
    expect(setCommitment(7, period, [])).to.deep.equal(H1("veilgrid/1/set", fromHex("000700005efa054000000000")));
  });

  it("refuses PRIDs that are out of order, repeated or cut", () => {
    const [a, b] = prids as [Uint8Array, Uint8Array];
    for (const bad of [
      [b, a],
      [a, a],
    ]) {
      expect(() => setCommitment(7, period, bad))
        .to.throw(VeilgridError)
        .with.property("code", "unsorted");
    }
    expect(() => setCommitment(7, period, [a.subarray(1)]))
      .to.throw(VeilgridError)
      .with.property("code", "out-of-range");
  });
});

describe("T, the sum of PRIDs", () => {
  it("is the same from points and from exponents", () => {
    fc.assert(
      fc.property(fc.array(bytes32, { maxLength: 12 }), (all) => {
        const secrets = all.map((t) => readingSecret(t));
        const fromPoints = hexOf(pridSum(all.map((t) => pridOf(t))));
        expect(hexOf(pridSumFromSecrets(secrets))).to.equal(fromPoints);
        expect(hexOf(pridSumFromScalars(secrets.map(evenScalar)))).to.equal(fromPoints);
      }),
      { numRuns: 20 },
    );
  });

  it("of one PRID is its even point", () => {
    const prid = pridOf(leafOf(1));
    expect(hexOf(pridSum([prid]))).to.equal(`02${toHex(prid)}`);
  });

  it("does not exist for no PRIDs nor for a sum at infinity", () => {
    const secret = H2(leafOf(1));
    const opposite = GROUP_ORDER - evenScalar(secret);
    expect(pridSum([])).to.equal(undefined);
    expect(pridSumFromSecrets([])).to.equal(undefined);
    expect(pridSumFromScalars([evenScalar(secret), opposite])).to.equal(undefined);
  });

  it("refuses what is no x coordinate", () => {
    const notOnCurve = fromHex("eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34");
    for (const bad of [notOnCurve, new Uint8Array(32).fill(255), new Uint8Array(32)]) {
      expect(() => pridSum([bad]))
        .to.throw(VeilgridError)
        .with.property("code", "bad-prid");
    }
  });

  it("reads the scalar whose point is even", () => {
    fc.assert(
      fc.property(bytes32, (t) => {
        const secret = H2(t);
        const even = scalarBytes(evenScalar(secret));
        expect(schnorr.publicPoint(even)[0]).to.equal(2);
        expect(schnorr.publicKey(even)).to.deep.equal(schnorr.publicKey(secret));
        expect(schnorr.sign(t, even)).to.deep.equal(schnorr.sign(t, secret));
      }),
      { numRuns: 20 },
    );
  });
});

describe("H3: completeness by a sum", () => {
  const own = Array.from({ length: 20 }, (_, i) => pridOf(leafOf(i))).toSorted(compareBytes);
  // A filter of one false positive in seven stands for the paper's: the search is the same, only shorter.
  const filter = BloomFilter.of("veilgrid/1/bf1", own, own.length, { bitsPerElement: 4, indices: 3 });

  /** Even-y scalars of keys that pass the filter without being in the set. */
  function* forgeries(): Generator<bigint, never> {
    for (let i = 1000; ; i += 1) {
      const scalar = evenScalar(H2(leafOf(i)));
      if (filter.has(schnorr.publicKey(scalarBytes(scalar)))) yield scalar;
    }
  }

  /** Three keys that pass the filter and whose even points add up to nothing: x + y + w = 0. */
  function nullTriple(): Uint8Array[] {
    const found: bigint[] = [];
    for (const x of forgeries()) {
      for (const y of found) {
        const w = scalarBytes(GROUP_ORDER - ((x + y) % GROUP_ORDER));
        if (evenScalar(w) !== scalarOf(w) || !filter.has(schnorr.publicKey(w))) continue;
        return [scalarBytes(x), scalarBytes(y), w].map((secret) => schnorr.publicKey(secret));
      }
      found.push(x);
    }
    return [];
  }

  it("lets three fake keys with x+y+w = 0 into the paper's T, not into the exact set", () => {
    const fakes = nullTriple();
    expect(fakes.every((fake) => filter.has(fake))).to.equal(true);
    const padded = [...own, ...fakes].toSorted(compareBytes);
    // The paper's rule: the filter passes them and T is unchanged.
    expect(hexOf(pridSum(padded))).to.equal(hexOf(pridSum(own)));
    // Ours: the commitment to the exact set is another.
    expect(setCommitment(1, period, padded)).to.not.deep.equal(setCommitment(1, period, own));
  });
});
