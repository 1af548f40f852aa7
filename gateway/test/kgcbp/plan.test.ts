import { comparePeriods, nextPeriod, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { longestEpoch, nextSpan, type Span } from "../../src/kgcbp/plan.js";
import { Register } from "../../src/kgcbp/register.js";
import type { Enrolment } from "../../src/ports/keystore.js";
import { paramsOf } from "../support/committee.js";
import { keysOf } from "../support/sealed.js";

const MARCH = 12 * 2026 + 2;
const MONTH = 1488;
const halfHours = paramsOf();
const quarters = paramsOf({ periodSeconds: 900 });

/** Supplies [from, to) in periods from the beginning of March on; each its own BID. */
async function registerOf(supplies: readonly (readonly [number, number])[]): Promise<Register> {
  const register = await Register.open(await keysOf(new Uint8Array(32)));
  const period = (n: number): Period => ({ month: MARCH + Math.floor(n / MONTH), k: n % MONTH });
  for (const [i, [from, to]] of supplies.entries()) {
    const bid = new Uint8Array(16).fill(i + 1);
    const enrolment: Enrolment = {
      meter: `m${i}`,
      bid,
      region: 1,
      recipient: "age1",
      from: period(from),
      to: period(to),
    };
    await register.enrol(enrolment, new Uint8Array(32));
  }
  return register;
}

/** All epochs of a region, planned ahead of time. */
function spans(register: Register, params = halfHours): Span[] {
  const all: Span[] = [];
  let covered: Period | undefined;
  for (;;) {
    const span = nextSpan(register, 1, covered, Date.UTC(2026, 1, 1), params);
    if (span === undefined) return all;
    all.push(span);
    covered = { month: span.first.month, k: span.first.k + span.periods - 1 };
  }
}

describe("plan of epochs", () => {
  it("fills a block of 1 MiB: a day up to 3,000 meters, or 1,500 with quarters, then equal parts", () => {
    const lengths = [1000, 3000, 3010, 5000].map((meters) => longestEpoch(meters, halfHours));
    expect(lengths).to.deep.equal([48, 48, 24, 24]);
    expect([1500, 1510, 3010, 5000].map((meters) => longestEpoch(meters, quarters))).to.deep.equal([96, 48, 32, 24]);
  });

  it("takes UTC days, ends with the supply, and never crosses a month's end", async () => {
    const register = await registerOf([[28, MONTH + 30]]);
    const all = spans(register);
    expect(all[0]).to.deep.equal({ first: { month: MARCH, k: 28 }, periods: 20 });
    expect(all[1]).to.deep.equal({ first: { month: MARCH, k: 48 }, periods: 48 });
    expect(all.at(-2)).to.deep.equal({ first: { month: MARCH, k: MONTH - 48 }, periods: 48 });
    expect(all.at(-1)).to.deep.equal({ first: { month: MARCH + 1, k: 0 }, periods: 30 });
    expect(all).to.have.lengthOf(32);
  });

  it("leaves out what nobody is supplied in, and what is over", async () => {
    const register = await registerOf([
      [0, 4],
      [100, 104],
    ]);
    expect(spans(register).map(({ first, periods }) => [first.k, periods])).to.deep.equal([
      [0, 4],
      [100, 4],
    ]);
    const late = nextSpan(register, 1, undefined, Date.UTC(2026, 2, 3, 2, 59), halfHours);
    expect(late).to.deep.equal({ first: { month: MARCH, k: 101 }, periods: 3 });
    expect(nextSpan(register, 1, undefined, Date.UTC(2026, 2, 4), halfHours)).to.equal(undefined);
    expect(nextSpan(register, 2, undefined, 0, halfHours)).to.equal(undefined);
  });

  it("covers exactly the supplied periods, each once and with the same meters throughout", async () => {
    const supply = fc
      .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 200 }))
      .map(([from, length]) => [from, from + length] as const);
    await fc.assert(
      fc.asyncProperty(fc.array(supply, { minLength: 1, maxLength: 5 }), async (supplies) => {
        const register = await registerOf(supplies);
        const covered = new Set<number>();
        let last: Period | undefined;
        for (const { first, periods } of spans(register)) {
          if (last !== undefined) expect(comparePeriods(last, first)).to.be.lessThan(0);
          expect(Math.floor(first.k / 48)).to.equal(Math.floor((first.k + periods - 1) / 48));
          const members = register.membersAt(1, first);
          let period = first;
          for (let i = 0; i < periods; i += 1) {
            expect(register.membersAt(1, period)).to.deep.equal(members);
            covered.add(period.k);
            last = period;
            period = nextPeriod(period, 1800);
          }
        }
        const supplied = new Set(
          supplies.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i)),
        );
        expect([...covered].sort((a, b) => a - b)).to.deep.equal([...supplied].sort((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it("refuses a region above its limit", async () => {
    const register = await registerOf(Array.from({ length: 6 }, () => [0, 1] as const));
    const tight = paramsOf({ maxRegionMeters: 5 });
    expect(() => nextSpan(register, 1, undefined, 0, tight)).to.throw("more meters than the parameters allow");
  });
});
