import { expect } from "chai";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { equalBytes, isVeilgridError, padReport, plaintextBytes, unpadReport, utf8 } from "../src/index.js";

function refused(code: string, call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    return isVeilgridError(error, code);
  }
  return false;
}

describe("padding", () => {
  it("leaves 130 856 bytes of plaintext in a bill of 131 072", () => {
    expect(plaintextBytes(131_072)).to.equal(130_856);
    expect(plaintextBytes(196_608)).to.equal(196_376);
    // A whole number of chunks, and one byte into the next.
    expect(plaintextBytes(184 + 65_552)).to.equal(65_536);
    expect(plaintextBytes(184 + 65_552 + 17)).to.equal(65_537);
    expect(plaintextBytes(184 + 17)).to.equal(1);
  });

  it("knows the lengths that no age file has", () => {
    for (const bytes of [0, 184, 200, 184 + 65_552 + 1, 184 + 65_552 + 16, 131_072.5, Number.NaN]) {
      expect(
        refused("out-of-range", () => plaintextBytes(bytes)),
        String(bytes),
      ).to.be.true;
    }
  });

  it("gives every ciphertext exactly billBytes, whatever the report's length", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    for (const [json, billBytes] of [
      ['{"total":"1"}', 131_072],
      [`{"a":"${"x".repeat(130_848)}"}`, 131_072],
      ["{}", 196_608],
      ["{}", 65_736],
      ["{}", 65_753],
    ] as const) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const ciphertext = await encrypter.encrypt(padReport(utf8(json), billBytes));
      expect(ciphertext.length).to.equal(billBytes);
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      expect(unpadReport(await decrypter.decrypt(ciphertext), billBytes)).to.deep.equal(utf8(json));
    }
  });

  it("is undone exactly", () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 20_000, max: 60_000 }), (json, billBytes) => {
        const bytes = utf8(json.trim());
        expect(equalBytes(unpadReport(padReport(bytes, billBytes), billBytes), bytes)).to.be.true;
      }),
    );
  });

  it("refuses a report that is too long, and a plaintext of another length", () => {
    expect(refused("report-too-long", () => padReport(new Uint8Array(130_857), 131_072))).to.be.true;
    expect(refused("malformed", () => unpadReport(new Uint8Array(130_855), 131_072))).to.be.true;
    expect(unpadReport(utf8(" ".repeat(130_856)), 131_072).length).to.equal(0);
  });
});
