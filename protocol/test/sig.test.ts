import { expect } from "chai";
import fc from "fast-check";
import {
  H1,
  H2,
  VerifiedSignatures,
  concat,
  schnorr,
  sigMessage,
  signBody,
  utf8,
  verifyBody,
  type SigKind,
} from "@veilgrid/protocol";
import { bytes32 } from "./arbitraries.js";

const secret = H2(utf8("a key of this test"));
const key = schnorr.publicKey(secret);
const body = fc.uint8Array({ maxLength: 300 });

describe("sig(kind, body)", () => {
  it("signs the tagged hash of consortium and body", () => {
    fc.assert(
      fc.property(bytes32, body, (consortium, bytes) => {
        const expected = H1("veilgrid/1/sig/vote", concat(consortium, bytes));
        expect(sigMessage("vote", consortium, bytes)).to.deep.equal(expected);
      }),
    );
  });

  it("is good for its own kind, consortium, body and key only", () => {
    fc.assert(
      fc.property(bytes32, body, (consortium, bytes) => {
        const sig = signBody("vote", consortium, bytes, secret);
        const other = H1("other", consortium);
        expect(verifyBody("vote", consortium, bytes, sig, key)).to.equal(true);
        expect(verifyBody("ack", consortium, bytes, sig, key)).to.equal(false);
        expect(verifyBody("vote", other, bytes, sig, key)).to.equal(false);
        expect(verifyBody("vote", consortium, concat(bytes, Uint8Array.of(0)), sig, key)).to.equal(false);
        expect(verifyBody("vote", consortium, bytes, sig, schnorr.publicKey(H2(other)))).to.equal(false);
        expect(verifyBody("vote", consortium, bytes, sig.subarray(1), key)).to.equal(false);
      }),
      { numRuns: 20 },
    );
  });

  it("gives the same bytes for the same input", () => {
    const consortium = new Uint8Array(32);
    expect(signBody("mask", consortium, key, secret)).to.deep.equal(signBody("mask", consortium, key, secret));
  });

  it("can be checked against a memory", () => {
    const memory = new VerifiedSignatures(10);
    const consortium = new Uint8Array(32);
    const kinds: readonly SigKind[] = ["reading", "header", "possession"];
    for (const kind of kinds) {
      const sig = signBody(kind, consortium, key, secret);
      expect(verifyBody(kind, consortium, key, sig, key, memory), kind).to.equal(true);
      expect(verifyBody(kind, consortium, key, sig.toReversed(), key, memory), kind).to.equal(false);
    }
    expect(memory.size).to.equal(3);
  });
});
