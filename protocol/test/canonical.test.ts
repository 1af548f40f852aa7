import { expect } from "chai";
import fc from "fast-check";
import { canonicalBytes, canonicalJson, fromHex, isVeilgridError, parseCanonical, toHex, utf8 } from "../src/index.js";

function refused(call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    return isVeilgridError(error, "not-canonical");
  }
  return false;
}

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("any"), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("any"), { maxKeys: 5 }),
  ),
})).any;

describe("canonical JSON", () => {
  it("writes strings and literals as RFC 8785 section 3.2.2 does", () => {
    const text = '{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null, true, false]}';
    expect(canonicalJson(JSON.parse(text))).to.equal(
      '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("gives the bytes of RFC 8785 section 3.2.4, less its floats", () => {
    const bytes = canonicalBytes({ string: '€$\u000f\nA\'B"\\\\"/', literals: [null, true, false] });
    expect(toHex(bytes)).to.equal(
      "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c" +
        "22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d",
    );
  });

  it("sorts names by UTF-16 code units as RFC 8785 section 3.2.3 does", () => {
    const text =
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",' +
      '"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}';
    expect(canonicalJson(JSON.parse(text))).to.equal(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it("writes the integers of RFC 8785 appendix B that are safe, and refuses its other numbers", () => {
    expect(canonicalJson([0, -0, 9007199254740991, -9007199254740991])).to.equal(
      "[0,0,9007199254740991,-9007199254740991]",
    );
    for (const number of [9007199254740992, 295147905179352830000, 5e-324, 333333333.3333333, NaN, Infinity]) {
      expect(
        refused(() => canonicalJson(number)),
        String(number),
      ).to.be.true;
    }
  });

  it("sorts in every depth and leaves arrays as they are", () => {
    expect(canonicalJson([56, { d: true, "10": null, "1": [] }, { b: { z: 1, a: 2 }, "": {} }])).to.equal(
      '[56,{"1":[],"10":null,"d":true},{"":{},"b":{"a":2,"z":1}}]',
    );
  });

  it("refuses what JSON has not", () => {
    for (const bad of [undefined, 1n, { a: undefined }, [() => 1], Symbol("s"), "\ud800", { "\udc00": 1 }]) {
      expect(refused(() => canonicalJson(bad))).to.be.true;
    }
    let deep: unknown = 0;
    for (let i = 0; i < 65; i += 1) deep = [deep];
    expect(refused(() => canonicalJson(deep))).to.be.true;
    expect(canonicalJson((deep as unknown[])[0])).to.equal("[".repeat(64) + "0" + "]".repeat(64));
  });

  it("comes back from its bytes", () => {
    fc.assert(
      fc.property(value, (any) => {
        const bytes = canonicalBytes(any);
        expect(canonicalBytes(parseCanonical(bytes))).to.deep.equal(bytes);
        expect(JSON.parse(canonicalJson(any))).to.deep.equal(JSON.parse(JSON.stringify(any)));
      }),
    );
  });

  it("reads no other encoding of a value", () => {
    const bad = [
      "",
      "{",
      '{"b":1,"a":2}',
      '{"a":1,"a":1}',
      "[1, 2]",
      "[1.0]",
      "[1e2]",
      "[-0]",
      '["\\u0041"]',
      '["\\/"]',
    ];
    bad.push("\ufeff[]", "[] ", "[9007199254740993]", "[".repeat(200_000));
    for (const text of bad)
      expect(
        refused(() => parseCanonical(utf8(text))),
        text.slice(0, 20),
      ).to.be.true;
    expect(refused(() => parseCanonical(fromHex("22ff22")))).to.be.true;
    expect(parseCanonical(utf8('{"a":2,"b":1}'))).to.deep.equal({ a: 2, b: 1 });
  });
});
