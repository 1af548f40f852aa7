import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { GROUP_ORDER, H1, H2, H3, concat, scalarBytes, scalarOf, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { bytes32 } from "./arbitraries.js";

/** SHA-256 by OpenSSL, to hold ours against. */
const opensslSha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash("sha256")
      .update(concat(...parts))
      .digest(),
  );

describe("hashes", () => {
  it("are SHA-256 as FIPS 180-4 shows it", () => {
    expect(toHex(sha256(utf8("abc")))).to.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(toHex(sha256())).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  it("take their message in any pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), fc.string(), (parts, tag) => {
        const tagHash = opensslSha256(utf8(tag));
        expect(sha256(...parts)).to.deep.equal(opensslSha256(...parts));
        expect(H1(tag, ...parts)).to.deep.equal(opensslSha256(tagHash, tagHash, ...parts));
      }),
    );
  });

  it("give H2 as 64 bytes mod (q-1), plus 1", () => {
    fc.assert(
      fc.property(bytes32, (t) => {
        const wide = toHex(H1("veilgrid/1/h2/0", t)) + toHex(H1("veilgrid/1/h2/1", t));
        expect(scalarOf(H2(t))).to.equal((BigInt(`0x${wide}`) % (GROUP_ORDER - 1n)) + 1n);
      }),
    );
  });

  it("give H3 as the first 8 bytes, big-endian", () => {
    const z = new Uint8Array(32).fill(7);
    expect(H3(z)).to.equal(BigInt(`0x${toHex(H1("veilgrid/1/h3", z).subarray(0, 8))}`));
  });

  it("write scalars as 32 bytes and read them back", () => {
    expect(toHex(scalarBytes(GROUP_ORDER))).to.equal(
      "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (scalar) => {
        expect(scalarOf(scalarBytes(scalar))).to.equal(scalar);
      }),
    );
  });
});
