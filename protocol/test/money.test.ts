import { expect } from "chai";
import fc from "fast-check";
import { floorDiv, formatAmount, isVeilgridError, minorUnit, roundHalfAway, showLines } from "../src/index.js";

const nano = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
const unit = fc.integer({ min: 0, max: 9 }).map(minorUnit);

function sum(values: readonly bigint[]): bigint {
  return values.reduce((all, value) => all + value, 0n);
}

describe("money", () => {
  it("rounds a half away from zero", () => {
    const tenths = [-16n, -15n, -14n, -5n, -4n, 0n, 4n, 5n, 6n, 14n, 15n, 25n];
    expect(tenths.map((n) => roundHalfAway(n, 10n))).to.deep.equal([
      -2n,
      -2n,
      -1n,
      -1n,
      0n,
      0n,
      0n,
      1n,
      1n,
      1n,
      2n,
      3n,
    ]);
    expect(roundHalfAway(1n, 3n)).to.equal(0n);
    expect(roundHalfAway(2n, 3n)).to.equal(1n);
    expect(roundHalfAway(-7n, 1n)).to.equal(-7n);
  });

  it("floors towards minus infinity", () => {
    expect([-11n, -10n, -1n, 0n, 1n, 9n, 10n].map((n) => floorDiv(n, 10n))).to.deep.equal([
      -2n,
      -1n,
      -1n,
      0n,
      0n,
      0n,
      1n,
    ]);
  });

  it("knows the minor unit of every currency", () => {
    expect([0, 2, 3, 9].map(minorUnit)).to.deep.equal([1_000_000_000n, 10_000_000n, 1_000_000n, 1n]);
    for (const digits of [-1, 10, 1.5]) {
      expect(() => minorUnit(digits))
        .to.throw()
        .that.satisfies((e: unknown) => isVeilgridError(e, "out-of-range"));
    }
  });

  it("gives the remainder to the largest fractional parts, earlier first", () => {
    // 0.5 + 0.5 + 0.5 + 0.4 + 0.1 = 2.0: two of the three halves go up, the earlier ones.
    expect(showLines([5n, 5n, 5n, 4n, 1n], 10n)).to.deep.equal({ shown: [1n, 1n, 0n, 0n, 0n], total: 2n });
    // -1.2 is floored to -2 with a part of 0.8, 0.7 to 0: together -0.5, which is -1 away from zero.
    expect(showLines([-12n, 7n], 10n)).to.deep.equal({ shown: [-1n, 0n], total: -1n });
    expect(showLines([12n, -7n], 10n)).to.deep.equal({ shown: [1n, 0n], total: 1n });
    expect(showLines([], 10n)).to.deep.equal({ shown: [], total: 0n });
    expect(showLines([20n, -30n], 10n)).to.deep.equal({ shown: [2n, -3n], total: -1n });
  });

  it("shows lines that add up to the total, each within one unit, the largest parts first", () => {
    fc.assert(
      fc.property(fc.array(nano, { maxLength: 12 }), unit, (nanos, one) => {
        const { shown, total } = showLines(nanos, one);
        expect(sum(shown)).to.equal(total);
        expect(total).to.equal(roundHalfAway(sum(nanos), one));
        const parts = nanos.map((n, i) => ({ up: shown[i] !== floorDiv(n, one), part: n - floorDiv(n, one) * one }));
        const raised = parts.filter(({ up }) => up).map(({ part }) => part);
        const kept = parts.filter(({ up }) => !up).map(({ part }) => part);
        nanos.forEach((n, i) => expect((shown[i] as bigint) - floorDiv(n, one)).to.be.oneOf([0n, 1n]));
        for (const part of raised) for (const other of kept) expect(part >= other).to.be.true;
      }),
    );
  });

  it("rounds symmetrically and to the nearest", () => {
    fc.assert(
      fc.property(nano, unit, (n, one) => {
        const rounded = roundHalfAway(n, one);
        expect(roundHalfAway(-n, one)).to.equal(-rounded);
        const off = rounded * one - n;
        expect(2n * (off < 0n ? -off : off) <= one).to.be.true;
      }),
    );
  });

  it("writes amounts with their digits", () => {
    expect(formatAmount(-5n, 2)).to.equal("-0.05");
    expect(formatAmount(123456n, 2)).to.equal("1234.56");
    expect(formatAmount(-7n, 0)).to.equal("-7");
    expect(formatAmount(0n, 3)).to.equal("0.000");
    expect(formatAmount(9007199254740993n, 9)).to.equal("9007199.254740993");
  });
});
