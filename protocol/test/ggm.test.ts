import { createCipheriv } from "node:crypto";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { expect } from "chai";
import fc from "fast-check";
import { VeilgridError, expand, fromHex, leaf, leaves, toHex } from "@veilgrid/protocol";
import { bytes32 } from "./arbitraries.js";
import { readVectors } from "./vectors.js";

interface KeyStreams {
  readonly cases: readonly { key: string; nonce: string; counter: number; keyStream: string }[];
}

/** ChaCha20 by OpenSSL: counter 0 and nonce 0 are its 16-byte IV. */
const opensslKeyStream = (key: Uint8Array): Uint8Array =>
  new Uint8Array(createCipheriv("chacha20", key, new Uint8Array(16)).update(new Uint8Array(64)));

/** The walk from the root that PROTOCOL section 2 defines, bit by bit. */
function walk(seed: Uint8Array, k: number): Uint8Array {
  let node = seed;
  for (let bit = 11; bit >= 0; bit -= 1) {
    const stream = opensslKeyStream(node);
    node = (k >> bit) & 1 ? stream.subarray(32) : stream.subarray(0, 32);
  }
  return node;
}

describe("PRG", () => {
  it("is built on the key stream of RFC 8439", () => {
    for (const { key, nonce, counter, keyStream } of (readVectors("rfc-8439.json") as KeyStreams).cases) {
      const stream = chacha20(fromHex(key), fromHex(nonce), new Uint8Array(64), undefined, counter);
      expect(toHex(stream), `counter ${counter} of key ${key}`).to.equal(keyStream);
    }
  });

  it("is the first block under nonce 0 and counter 0", () => {
    const [left, right] = expand(new Uint8Array(32));
    expect(toHex(left)).to.equal("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
    expect(toHex(right)).to.equal("da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586");
  });

  it("refuses a key of another length", () => {
    expect(() => expand(new Uint8Array(31))).to.throw("32");
  });
});

describe("GGM-PRF", () => {
  it("walks the most significant bit first, left for 0", () => {
    fc.assert(
      fc.property(bytes32, fc.nat(4095), (seed, k) => {
        expect(leaf(seed, k)).to.deep.equal(walk(seed, k));
      }),
      { numRuns: 30 },
    );
  });

  it("gives a run in one pass as leaf by leaf", () => {
    fc.assert(
      fc.property(bytes32, fc.nat(4095), fc.nat(50), (seed, first, wanted) => {
        const count = Math.min(wanted, 4096 - first);
        const alone = Array.from({ length: count }, (_, i) => leaf(seed, first + i));
        expect(leaves(seed, first, count)).to.deep.equal(alone);
      }),
      { numRuns: 30 },
    );
  });

  it("never hands out a leaf's sibling", () => {
    expect(leaf(new Uint8Array(32), 0).buffer.byteLength).to.equal(32);
  });

  it("refuses leaves outside the tree", () => {
    const seed = new Uint8Array(32);
    for (const [first, count] of [
      [4096, 1],
      [4000, 97],
      [-1, 1],
      [0.5, 1],
      [0, -1],
    ] as const) {
      expect(() => leaves(seed, first, count), `${first}+${count}`)
        .to.throw(VeilgridError)
        .with.property("code", "out-of-range");
    }
    expect(leaves(seed, 4096, 0)).to.deep.equal([]);
  });
});
