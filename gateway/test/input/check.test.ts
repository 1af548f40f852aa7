import { expect } from "chai";
import { checkReadings } from "../../src/input/check.js";
import { expectRefusal, Scratch, SGSC, SWISS } from "./files.js";

describe("checking a readings file", () => {
  const scratch = new Scratch();
  afterEach(() => {
    scratch.clean();
  });

  it("sums up a good one", async () => {
    const summary = await checkReadings(SGSC);
    expect(summary).to.deep.include({
      file: "sgsc50_2013-04-08_30d_wide.csv",
      format: "wide",
      periodSeconds: 1800,
      periods: 1440,
      first: "2013-04-08T00:00:00.000Z",
      last: "2013-05-07T23:30:00.000Z",
      readings: 72_000,
      missing: 0,
      gaps: [],
      gapCount: 0,
      negatives: 0,
      totalWh: 14_895_865,
      problems: [],
      problemCount: 0,
    });
    expect(summary.households[0]).to.deep.equal({
      household: "H10006414",
      totalWh: 253_998,
      readings: 1440,
      missing: 0,
    });
    expect(summary.smallest?.wh).to.equal(0);
  });

  it("needs no start, and finds the extremes", async () => {
    const summary = await checkReadings(SWISS);
    expect(summary).to.deep.include({ format: "undated", first: undefined, last: undefined, negatives: 10 });
    expect(summary.totalWh).to.equal(738_180_108);
    expect(summary.smallest).to.deep.equal({ household: "V9717902", n: 1038, periodStart: undefined, wh: -36_480 });
    expect(summary.largest).to.deep.equal({ household: "V2046645", n: 1438, periodStart: undefined, wh: 158_322 });
    const rows = "period,week,day_of_week,half_hour,A\n1,44,1,0,1\n2,44,1,1,2\n";
    const dated = await checkReadings(scratch.write("s.csv", rows), { start: "2019-10-28" });
    expect(dated.largest?.periodStart).to.equal("2019-10-28T00:30:00.000Z");
  });

  it("names all that is wrong, up to a limit, and reads on without it", async () => {
    const rows = [
      "2013-10-27T00:00,1,x",
      "2013-10-27T01:00,1,1", // 00:00 and 01:00 UTC: the file has it once
      "2013-10-27T02:00,1,y",
      "2013-10-27T02:07,1,1",
      "2013-10-27T02:13,,",
      "2013-10-27T04:00,-1,",
      "2013-10-27T04:00,2,",
      "2013-10-27T04:00,-1,",
      "2013-10-27T05:00",
      "soon,1,1",
    ];
    const path = scratch.write("many.csv", `reading_datetime,A,B\n${rows.join("\n")}\n`);
    const summary = await checkReadings(path, { timezone: "Europe/London" });
    expect(summary.problems.map(({ code, facts }) => [code, facts.line])).to.deep.equal([
      ["bad-number", 2],
      ["bad-number", 4],
      ["time-off-grid", 5],
      ["repeated-row", 8],
      ["row-length", 10],
      ["bad-time", 11],
      ["time-ambiguous", 3],
    ]);
    expect(summary.counted).to.deep.equal({ identicalRepeats: 1, offGridNulls: 1, blanks: 1 });
    expect(summary).to.deep.include({ readings: 5, negatives: 1, totalWh: 3000, periods: 11, missing: 17 });
    expect(summary.gaps.map(({ n, periods }) => [n, periods])).to.deep.equal([
      [1, 1],
      [3, 3],
      [7, 3],
    ]);
    expect(summary.gaps[1]?.periodStart).to.equal("2013-10-27T00:30:00.000Z");
    const short = await checkReadings(path, { timezone: "Europe/London" }, 2);
    expect([short.problems.length, short.problemCount, short.gaps.length, short.gapCount]).to.deep.equal([2, 7, 2, 3]);
  });

  it("has nothing to tell of a file whose rows are all bad", async () => {
    const summary = await checkReadings(scratch.write("bad.csv", "reading_datetime,A\nsoon,1\n"));
    expect(summary).to.deep.include({ periods: 0, first: undefined, last: undefined, readings: 0, problemCount: 1 });
    expect(summary.smallest).to.equal(undefined);
  });

  it("fails where no row can be read", async () => {
    await expectRefusal(() => checkReadings(scratch.write("x.csv", "a,b\n1,2\n")), "unknown-header");
    await expectRefusal(() => checkReadings(scratch.write("y.csv", "")), "empty-file");
  });
});
