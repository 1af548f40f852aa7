import { expect } from "chai";
import { H2, VerifiedSignatures, concat, schnorr, sha256, type SchnorrEngine } from "@veilgrid/protocol";

interface Signed {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

function signed(i: number, engine: SchnorrEngine = schnorr): Signed {
  const secret = H2(Uint8Array.of(i));
  const message = sha256(Uint8Array.of(i));
  return { message, key: engine.publicKey(secret), signature: engine.sign(message, secret) };
}

describe("memory of verified signatures", () => {
  it("remembers the good ones once", () => {
    const memory = new VerifiedSignatures(100);
    const { message, key, signature } = signed(1);
    expect(memory.verify(message, key, signature)).to.equal(true);
    expect(memory.verify(message, key, signature)).to.equal(true);
    expect(memory.size).to.equal(1);
  });

  it("never remembers a bad one", () => {
    const memory = new VerifiedSignatures(100);
    const { message, key } = signed(1);
    const { signature } = signed(2);
    expect(memory.verify(message, key, signature)).to.equal(false);
    expect(memory.verify(message, key, signature)).to.equal(false);
    expect(memory.size).to.equal(0);
  });

  it("does not take a byte moved between fields for the remembered one", () => {
    const memory = new VerifiedSignatures(100);
    const { message, key, signature } = signed(1);
    memory.verify(message, key, signature);
    const whole = concat(message, key, signature);
    expect(memory.verify(whole.subarray(0, 31), whole.subarray(31, 64), signature)).to.equal(false);
    expect(memory.verify(message, whole.subarray(32, 65), whole.subarray(65))).to.equal(false);
  });

  it("stays within its limit and still answers", () => {
    const memory = new VerifiedSignatures(4);
    for (let i = 0; i < 20; i += 1) {
      const { message, key, signature } = signed(i);
      expect(memory.verify(message, key, signature), `signature ${i}`).to.equal(true);
      expect(memory.size, `after ${i}`).to.be.at.most(4);
    }
    const first = signed(0);
    expect(memory.verify(first.message, first.key, first.signature)).to.equal(true);
  });

  it("remembers nothing with limit 0", () => {
    const memory = new VerifiedSignatures(0);
    const { message, key, signature } = signed(1);
    expect(memory.verify(message, key, signature)).to.equal(true);
    expect(memory.verify(message, key, signature.toReversed())).to.equal(false);
    expect(memory.size).to.equal(0);
  });
});
