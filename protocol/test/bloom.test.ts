import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { BloomFilter, VeilgridError, bloomBytes, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { bytes32 } from "./arbitraries.js";

const TAG = "veilgrid/1/bf1";
const DEFAULT = { bitsPerElement: 29, indices: 20 };

/** PROTOCOL section 2 word by word, on OpenSSL's SHA-256: which bits an element sets. */
function bitsOf(element: Uint8Array, size: number, indices: number): number[] {
  const tag = createHash("sha256").update(TAG).digest();
  const block = (counter: number): Buffer =>
    createHash("sha256").update(tag).update(tag).update(element).update(Uint8Array.of(counter)).digest();
  const stream = Buffer.concat(Array.from({ length: Math.ceil(indices / 8) }, (_, i) => block(i)));
  return Array.from({ length: indices }, (_, i) => stream.readUInt32BE(4 * i) % size);
}

const element = (label: string, i: number): Uint8Array => sha256(utf8(`${label} ${i}`));
const elements = (label: string, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => element(label, i));

/** The share of `probes` foreign elements that a filter over `n` takes for its own. */
function falsePositives(n: number, shape: { bitsPerElement: number; indices: number }, probes: number): number {
  const filter = BloomFilter.of(TAG, elements("in", n), n, shape);
  return elements("out", probes).filter((foreign) => filter.has(foreign)).length / probes;
}

describe("Bloom filter", () => {
  it("has ceil(b·n/8) bytes", () => {
    expect(bloomBytes(24, 29)).to.equal(87);
    expect(bloomBytes(1, 29)).to.equal(4);
    expect(bloomBytes(2000, 29)).to.equal(7250);
    expect(bloomBytes(3, 8)).to.equal(3);
  });

  it("sets exactly the bits that the protocol names", () => {
    fc.assert(
      fc.property(
        fc.array(bytes32, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 33 }),
        (all, indices) => {
          const filter = BloomFilter.of(TAG, all, all.length, { bitsPerElement: 29, indices });
          const expected = new Uint8Array(filter.bits.length);
          for (const bit of all.flatMap((one) => bitsOf(one, 8 * expected.length, indices))) {
            const byte = Math.floor(bit / 8);
            expected[byte] = (expected[byte] as number) | (0x80 >> (bit % 8));
          }
          expect(toHex(filter.bits)).to.equal(toHex(expected));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("has no false negatives, also when made again from its bytes", () => {
    fc.assert(
      fc.property(fc.uniqueArray(bytes32, { minLength: 1, maxLength: 60 }), (all) => {
        const made = BloomFilter.of(TAG, all, all.length, DEFAULT);
        const read = new BloomFilter(made.bits, TAG, DEFAULT.indices);
        for (const one of all) expect(read.has(one)).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });

  it("answers the same whatever was asked before", () => {
    const filter = BloomFilter.of(TAG, elements("in", 10), 10, DEFAULT);
    const [own, foreign] = [element("in", 3), element("out", 3)];
    expect([filter.has(foreign), filter.has(own), filter.has(foreign), filter.has(own)]).to.deep.equal([
      false,
      true,
      false,
      true,
    ]);
  });

  it("takes foreign elements at the nominal rate", () => {
    // (1 - e^(-r/b))^r: 8.2e-3 for 10 and 7, 4.6e-4 for 16 and 11. Half to twice of it leaves ten sigma to chance.
    expect(falsePositives(100, { bitsPerElement: 10, indices: 7 }, 40_000)).to.be.within(0.0041, 0.0164);
    expect(falsePositives(500, { bitsPerElement: 16, indices: 11 }, 40_000)).to.be.within(0.0002, 0.0011);
  });

  it("keeps that rate on a filter as small as a region's, where double hashing does not", () => {
    // The default is near 1e-6; double hashing gave 1.4e-3, which would be about 50 of these.
    expect(falsePositives(24, DEFAULT, 40_000) * 40_000).to.be.at.most(2);
  });

  it("refuses to be empty", () => {
    for (const make of [() => BloomFilter.of(TAG, [], 0, DEFAULT), () => new BloomFilter(new Uint8Array(0), TAG, 20)]) {
      expect(make).to.throw(VeilgridError).with.property("code", "out-of-range");
    }
  });
});
