import { expect } from "chai";
import * as fc from "fast-check";
import { BorderCount, type Counted } from "../../src/meterside/border-count.js";
import type { Border, RegisterReading } from "../../src/meterside/register.js";

const HALF_HOUR = 1_800_000;
/** 2026-03-02T00:00Z, a border. */
const START = Date.UTC(2026, 2, 2);
const MONTH = 12 * 2026 + 2;
/** The period that begins at START. */
const FIRST = 48;
const OPTIONS = { periodSeconds: 1800, toleranceMs: 15_000, maxWhPerPeriod: 200_000 };

const reading = (minutes: number, imported: number, exported = 0): RegisterReading => ({
  at: START + minutes * 60_000,
  imported: BigInt(imported),
  exported: BigInt(exported),
});

/** What readings come to, as "k: Wh" and the faults' codes. */
function told(counted: readonly Counted[]): string[] {
  return counted.flatMap(({ counts, faults }) => [
    ...counts.map(({ period: { month, k }, wh }) => `${month - MONTH}/${k - FIRST}: ${wh}`),
    ...faults.map(({ code }) => code),
  ]);
}

function after(readings: readonly RegisterReading[], last?: Border): string[] {
  const count = new BorderCount(OPTIONS, last);
  return told(readings.map((one) => count.take(one)));
}

describe("a period's consumption by its register", () => {
  it("is the difference between its borders, imported minus exported, whatever lies between", () => {
    expect(
      after([reading(0, 1000, 50), reading(10, 1700, 60), reading(30, 2000, 450), reading(60, 2001, 3000)]),
    ).to.deep.equal(["0/0: 600", "0/1: -2549"]);
  });

  it("takes the reading that is nearest to the border, of those within the tolerance", () => {
    const near = [reading(0, 0), reading(29.9, 90), reading(30.05, 100), reading(59.95, 300), reading(60.2, 400)];
    expect(after(near)).to.deep.equal(["0/0: 100", "0/1: 200"]);
  });

  it("does not begin before a border was seen", () => {
    expect(after([reading(7, 500), reading(30, 700), reading(60, 1000)])).to.deep.equal(["0/1: 300"]);
  });

  it("is the same for a process that was ended and started again between any two readings", () => {
    const readings = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(900), fc.nat(900)), { maxLength: 60 });
    fc.assert(
      fc.property(readings, fc.nat(59), (steps, cut) => {
        let [at, imported, exported] = [START, 0n, 0n];
        const all = steps.map(([minutes, more, less]): RegisterReading => {
          [at, imported, exported] = [at + minutes * 10_000, imported + BigInt(more), exported + BigInt(less)];
          return { at, imported, exported };
        });
        const whole = new BorderCount(OPTIONS);
        const [one, other] = [new BorderCount(OPTIONS), all.slice(0, cut)];
        let kept: Border | undefined;
        const before = other.map((each) => one.take(each));
        for (const { border } of before) kept = border ?? kept;
        const two = new BorderCount(OPTIONS, kept);
        const counts = (made: readonly Counted[]): unknown => made.flatMap((each) => each.counts);
        const whole2 = counts(all.map((each) => whole.take(each)));
        // A border that only the lost memory had a reading for is gone; nothing else, and nothing differs.
        const parts = counts([...before, ...all.slice(cut).map((each) => two.take(each))]) as unknown[];
        for (const count of parts) expect(whole2).to.deep.include(count);
      }),
    );
  });

  it("goes on from the border on disk, mid-period", () => {
    const last = { at: START, imported: 1000n, exported: 0n };
    expect(after([reading(17, 1200), reading(30, 1300)], last)).to.deep.equal(["0/0: 300"]);
  });
});

describe("a register that cannot be believed", () => {
  it("and falls leaves its period without a consumption, and counts from there", () => {
    expect(after([reading(0, 1000), reading(30, 900), reading(60, 950)])).to.deep.equal(["register-fell", "0/1: 50"]);
    expect(after([reading(0, 9, 9), reading(30, 9, 8), reading(60, 10, 8)])).to.deep.equal(["register-fell", "0/1: 1"]);
  });

  it("and falls within a period is not believed at its end either", () => {
    expect(after([reading(0, 1000), reading(10, 5), reading(30, 1100), reading(60, 1150)])).to.deep.equal([
      "register-fell",
      "0/1: 50",
    ]);
  });

  it("and falls while the process is away is seen by what is on disk", () => {
    const last = { at: START, imported: 1000n, exported: 0n };
    expect(after([reading(20, 10), reading(30, 20), reading(60, 30)], last)).to.deep.equal([
      "register-fell",
      "0/1: 10",
    ]);
  });

  it("and jumps by more than a period holds leaves it out, either way", () => {
    expect(after([reading(0, 0), reading(30, 200_001), reading(60, 400_001)])).to.deep.equal([
      "register-jumped",
      "0/1: 200000",
    ]);
    expect(after([reading(0, 0, 0), reading(30, 0, 200_001)])).to.deep.equal(["register-jumped"]);
  });

  it("and calls itself otherwise is another one, however like its figures are", () => {
    const device = (one: RegisterReading, name: string): RegisterReading => ({ ...one, device: name });
    expect(
      after([device(reading(0, 100), "a"), device(reading(30, 101), "b"), device(reading(60, 103), "b")]),
    ).to.deep.equal(["register-replaced", "0/1: 2"]);
  });

  it("and does not know what was used has no consumption there, and the next period has", () => {
    const unread: RegisterReading = { ...reading(60, 10), unread: true };
    expect(after([reading(0, 0), reading(30, 10), unread, reading(90, 17)])).to.deep.equal(["0/0: 10", "0/2: 7"]);
  });

  it("and was silent over borders says so once, and how many periods it was", () => {
    const count = new BorderCount(OPTIONS);
    const made = [
      reading(0, 0),
      reading(30, 10),
      reading(45, 12),
      reading(103, 40),
      reading(120, 50),
      reading(150, 55),
    ];
    const counted = made.map((one) => count.take(one));
    expect(told(counted)).to.deep.equal(["0/0: 10", "register-silent", "register-gap", "0/4: 5"]);
    expect(counted.flatMap(({ faults }) => faults).at(-1)?.facts).to.deep.equal({
      from: "2026-03-02T00:30:00.000Z",
      to: "2026-03-02T02:00:00.000Z",
      periods: 3,
    });
  });

  it("is judged by the clock when nothing comes, by the last reading before the border if that is near", () => {
    const count = new BorderCount(OPTIONS);
    count.take(reading(0, 0));
    count.take(reading(29.9, 10));
    expect(told([count.pass(START + HALF_HOUR + 15_000)])).to.deep.equal([]);
    expect(told([count.pass(START + HALF_HOUR + 15_001)])).to.deep.equal(["0/0: 10"]);
    expect(told([count.pass(START + 2 * HALF_HOUR + 15_001)])).to.deep.equal(["register-silent"]);
    expect(told([count.take(reading(61, 20)), count.take(reading(90, 30))])).to.deep.equal(["register-gap"]);
  });

  it("by a clock that is set back is not: a reading is never earlier than the one before", () => {
    expect(after([reading(0, 0), reading(30.01, 10), reading(29.99, 11), reading(60, 20)])).to.deep.equal([
      "0/0: 10",
      "0/1: 10",
    ]);
  });
});
