import { expect } from "chai";
import fc from "fast-check";
import { RING, add, fromSigned, sub, sum, toSigned } from "@veilgrid/protocol";
import { element, signed64 } from "./arbitraries.js";

describe("ring Z_2^64", () => {
  it("wraps at its ends", () => {
    expect(add(RING - 1n, 1n)).to.equal(0n);
    expect(sub(0n, 1n)).to.equal(18446744073709551615n);
    expect(toSigned(18446744073709551615n)).to.equal(-1n);
    expect(toSigned(1n << 63n)).to.equal(-9223372036854775808n);
    expect(fromSigned(-158000n)).to.equal(18446744073709393616n);
    expect(sum([])).to.equal(0n);
  });

  it("is a commutative group", () => {
    fc.assert(
      fc.property(element, element, element, (a, b, c) => {
        expect(add(a, b)).to.equal(add(b, a));
        expect(add(add(a, b), c)).to.equal(add(a, add(b, c)));
        expect(sub(add(a, b), b)).to.equal(a);
        expect(add(a, sub(0n, a))).to.equal(0n);
      }),
    );
  });

  it("sums in any order", () => {
    fc.assert(
      fc.property(fc.array(element), (values) => {
        expect(sum(values)).to.equal(values.reduce(add, 0n));
        expect(sum(values.toReversed())).to.equal(sum(values));
      }),
    );
  });

  it("keeps signed numbers", () => {
    fc.assert(
      fc.property(signed64, (value) => {
        expect(toSigned(fromSigned(value))).to.equal(value);
      }),
    );
  });
});
