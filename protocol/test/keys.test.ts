import { expect } from "chai";
import fc from "fast-check";
import { deriveSeeds, fromHex, ratchet, toHex, utf8 } from "@veilgrid/protocol";
import { hkdf } from "../src/hkdf.js";
import { bytes32 } from "./arbitraries.js";
import { readVectors } from "./vectors.js";

interface HkdfCases {
  readonly cases: readonly { ikm: string; salt: string; info: string; okm: string }[];
}

const MARCH_2026 = 24314;

describe("HKDF", () => {
  it("gives the first 32 bytes of each case of RFC 5869", () => {
    for (const { ikm, salt, info, okm } of (readVectors("rfc-5869.json") as HkdfCases).cases) {
      const [key] = hkdf(fromHex(ikm), fromHex(salt), [fromHex(info)]);
      expect(toHex(key as Uint8Array)).to.equal(okm.slice(0, 64));
    }
  });
});

describe("month keys", () => {
  it("give four seeds named by month and place", () => {
    fc.assert(
      fc.property(bytes32, bytes32, (key, consortium) => {
        const { s0, s1, r0, r1 } = deriveSeeds(key, consortium, MARCH_2026);
        const infos = ["s0", "s1", "r0", "r1"].map((name) => utf8(`veilgrid/1/seed/${name}/2026-03`));
        expect([s0, s1, r0, r1]).to.deep.equal(hkdf(key, consortium, infos));
      }),
      { numRuns: 20 },
    );
  });

  it("ratchet into the next month's, over a year's end too", () => {
    fc.assert(
      fc.property(bytes32, bytes32, (key, consortium) => {
        const expected = hkdf(key, consortium, [utf8("veilgrid/1/ratchet/2027-01")]);
        expect([ratchet(key, consortium, 12 * 2027)]).to.deep.equal(expected);
      }),
      { numRuns: 20 },
    );
  });

  it("depend on key, consortium and month", () => {
    const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const all = [
      ratchet(key, other, MARCH_2026),
      ratchet(key, other, MARCH_2026 + 1),
      ratchet(key, key, MARCH_2026),
      ratchet(other, other, MARCH_2026),
    ].map(toHex);
    expect(new Set(all).size).to.equal(4);
  });
});
