import { expect } from "chai";
import fc from "fast-check";
import { scaled } from "../../src/input/decimal.js";

describe("decimals of a file", () => {
  it("are moved, not rounded", () => {
    expect(scaled("0.1", 9)).to.deep.equal({ value: 100_000_000n });
    expect(scaled("-36.48", 9)).to.deep.equal({ value: -36_480_000_000n });
    expect(scaled("158.322", 9)).to.deep.equal({ value: 158_322_000_000n });
    expect(scaled("7", 3)).to.deep.equal({ value: 7000n });
    expect(scaled(".5", 1)).to.deep.equal({ value: 5n });
    expect(scaled("-.5", 1)).to.deep.equal({ value: -5n });
    expect(scaled("+5.", 0)).to.deep.equal({ value: 5n });
    expect(scaled("1.5e-3", 9)).to.deep.equal({ value: 1_500_000n });
    expect(scaled("12E2", 0)).to.deep.equal({ value: 1200n });
    expect(scaled("-0", 9)).to.deep.equal({ value: 0n });
  });

  it("may end in zeros beyond the finest step, and in nothing else", () => {
    expect(scaled("0.1230000000000", 9)).to.deep.equal({ value: 123_000_000n });
    expect(scaled("0.0000000001", 9)).to.deep.equal({ reason: '"0.0000000001" has more than 9 decimals' });
    expect(scaled("1e-10", 9)).to.deep.equal({ reason: '"1e-10" has more than 9 decimals' });
    expect(scaled("0e-10", 9)).to.deep.equal({ value: 0n });
  });

  it("are nothing but decimals", () => {
    for (const text of [
      "abc",
      "",
      ".",
      "1,5",
      "0x10",
      "NaN",
      "Infinity",
      "1e",
      "1 2",
      "--1",
      "1e999",
      "9".repeat(65),
    ]) {
      expect(scaled(text, 9), text).to.have.property("reason").that.includes("is not a decimal number");
    }
  });

  it("are what was written, for every integer and every number of decimals", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.nat(9), (value, decimals) => {
        const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
        const cut = digits.length - decimals;
        const text = `${value < 0n ? "-" : ""}${digits.slice(0, cut)}.${digits.slice(cut)}`;
        expect(scaled(text, decimals)).to.deep.equal({ value });
        expect(scaled(text, 9)).to.deep.equal({ value: value * 10n ** BigInt(9 - decimals) });
      }),
    );
  });
});
