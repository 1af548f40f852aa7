import { expect } from "chai";
import fc from "fast-check";
import {
  FIRST_MONTH,
  LAST_MONTH,
  addPeriods,
  comparePeriods,
  isVeilgridError,
  monthAt,
  monthCloses,
  monthEnd,
  monthName,
  monthOf,
  monthStart,
  nextPeriod,
  periodAt,
  periodEnd,
  periodRange,
  periodStart,
  periodsBetween,
  periodsInMonth,
  window,
} from "../src/index.js";

const anyMonth = fc.integer({ min: FIRST_MONTH, max: LAST_MONTH });
const anyLength = fc.constantFrom(900, 1800);
const anyPeriod = fc
  .tuple(anyMonth, anyLength, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
  .map(([month, seconds, share]) => ({
    seconds,
    period: { month, k: Math.floor(share * periodsInMonth(month, seconds)) },
  }));

function refused(call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    return isVeilgridError(error, "out-of-range");
  }
  return false;
}

describe("calendar", () => {
  it("knows the real lengths of months, leap years among them", () => {
    const half = (name: string): number => periodsInMonth(monthOf(name), 1800);
    expect(["2013-02", "2013-04", "2013-05", "2024-02", "2000-02", "2100-02"].map(half)).to.deep.equal([
      1344, 1440, 1488, 1392, 1392, 1344,
    ]);
    expect(periodsInMonth(monthOf("2026-03"), 900)).to.equal(2976);
    expect(periodsInMonth(monthOf("2026-02"), 900)).to.equal(2688);
  });

  it("numbers months as the wire does", () => {
    expect(monthOf("2026-03")).to.equal(24314);
    expect(monthName(24314)).to.equal("2026-03");
    expect(monthName(FIRST_MONTH)).to.equal("1970-01");
    expect(monthName(LAST_MONTH)).to.equal("9999-12");
    expect(monthStart(24314)).to.equal(1772323200000);
    expect(monthEnd(24314)).to.equal(1775001600000);
  });

  it("places periods on UTC, past a zone's change of clocks too", () => {
    // 29 March 2026, 00:00Z: the day on which Central Europe changes to summer time.
    expect(periodStart({ month: 24314, k: 1344 }, 1800)).to.equal(1774742400000);
    expect(periodAt(1774742400000, 1800)).to.deep.equal({ month: 24314, k: 1344 });
    expect(periodAt(1774742399999, 1800)).to.deep.equal({ month: 24314, k: 1343 });
  });

  it("runs on across the ends of months and years", () => {
    expect(nextPeriod({ month: monthOf("2024-12"), k: 1487 }, 1800)).to.deep.equal({ month: monthOf("2025-01"), k: 0 });
    expect(nextPeriod({ month: monthOf("2024-02"), k: 1343 }, 1800)).to.deep.equal({
      month: monthOf("2024-02"),
      k: 1344,
    });
    expect(addPeriods({ month: monthOf("2024-03"), k: 0 }, -1, 900)).to.deep.equal({
      month: monthOf("2024-02"),
      k: 2783,
    });
    expect([...periodRange({ month: monthOf("2023-02"), k: 1343 }, 2, 1800)]).to.deep.equal([
      { month: monthOf("2023-02"), k: 1343 },
      { month: monthOf("2023-03"), k: 0 },
    ]);
    expect([...periodRange({ month: monthOf("2023-02"), k: 0 }, 0, 1800)]).to.deep.equal([]);
  });

  it("opens, closes and freezes a period as section 3 says", () => {
    const params = { periodSeconds: 1800, submissionWindow: 600, forwardSeconds: 30 };
    expect(window({ month: 24314, k: 1344 }, params)).to.deep.equal({
      opens: 1774744200000,
      closes: 1774744800000,
      freezes: 1774744830000,
    });
    expect(monthCloses(24314, params)).to.equal(1775001600000 + 630_000);
  });

  it("finds each period by any instant in it", () => {
    fc.assert(
      fc.property(anyPeriod, fc.integer({ min: 0, max: 899_999 }), ({ period, seconds }, offset) => {
        const start = periodStart(period, seconds);
        expect(periodAt(start + offset, seconds)).to.deep.equal(period);
        expect(periodAt(periodEnd(period, seconds) - 1, seconds)).to.deep.equal(period);
        expect(monthAt(start)).to.equal(period.month);
        expect(monthOf(monthName(period.month))).to.equal(period.month);
      }),
    );
  });

  it("counts the periods between two of them", () => {
    fc.assert(
      fc.property(anyPeriod, fc.integer({ min: -5000, max: 5000 }), ({ period, seconds }, count) => {
        fc.pre(period.month > FIRST_MONTH + 4 && period.month < LAST_MONTH - 4);
        const other = addPeriods(period, count, seconds);
        expect(periodsBetween(period, other, seconds)).to.equal(count);
        expect(Math.sign(comparePeriods(other, period))).to.equal(Math.sign(count));
        expect(addPeriods(other, -count, seconds)).to.deep.equal(period);
      }),
    );
  });

  it("refuses what no Period can name", () => {
    expect(refused(() => monthName(FIRST_MONTH - 1))).to.be.true;
    expect(refused(() => monthStart(LAST_MONTH + 1))).to.be.true;
    expect(refused(() => monthStart(24314.5))).to.be.true;
    expect(refused(() => monthAt(-1))).to.be.true;
    expect(refused(() => monthAt(Number.NaN))).to.be.true;
    for (const name of ["2026-13", "2026-00", "2026-3", "1969-12", "2026-03-01", ""])
      expect(
        refused(() => monthOf(name)),
        name,
      ).to.be.true;
    expect(refused(() => periodsInMonth(24314, 3600))).to.be.true;
    expect(refused(() => periodStart({ month: 24314, k: 1488 }, 1800))).to.be.true;
    expect(refused(() => periodStart({ month: 24314, k: -1 }, 1800))).to.be.true;
    expect(refused(() => periodStart({ month: 24314, k: 0.5 }, 1800))).to.be.true;
    expect(refused(() => nextPeriod({ month: LAST_MONTH, k: 1487 }, 1800))).to.be.true;
  });
});
