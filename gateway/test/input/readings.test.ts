import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { readReadings } from "../../src/input/readings.js";
import type { ReadingsTable } from "../../src/input/table.js";
import { dataFile, Scratch, SGSC, SWISS } from "./files.js";

const APRIL_2013 = 12 * 2013 + 3;
const NOVEMBER_2019 = 12 * 2019 + 10;

function periodSum(table: ReadingsTable, n: number): number {
  return table.households.reduce((sum, _, i) => sum + (table.consumption(i, n) ?? 0), 0);
}

function householdSum(table: ReadingsTable, household: number): number {
  let sum = 0;
  for (let n = 0; n < table.periods; n += 1) sum += table.consumption(household, n) ?? 0;
  return sum;
}

function total(table: ReadingsTable): number {
  return table.households.reduce((sum, _, i) => sum + householdSum(table, i), 0);
}

/** The cells of a table, household by household; null for missing. */
function cells(table: ReadingsTable): (number | null)[][] {
  return table.households.map((_, i) =>
    Array.from({ length: table.periods }, (_, n) => table.consumption(i, n) ?? null),
  );
}

describe("the Smart-Grid Smart-City month", () => {
  let table: ReadingsTable;
  before(async () => (table = await readReadings(SGSC)));

  it("is 50 households and 1,440 half-hours, and nothing is missing", () => {
    expect(table.format).to.equal("wide");
    expect(table.households).to.have.length(50);
    expect([table.households[0], table.households[49]]).to.deep.equal(["H10006414", "H10018254"]);
    expect(table.firstPeriod).to.deep.equal({ month: APRIL_2013, k: 7 * 48 });
    expect(table.periods).to.equal(1440);
    expect(table.periodSeconds).to.equal(1800);
    expect(table.counted).to.deep.equal({ identicalRepeats: 0, offGridNulls: 0, blanks: 0 });
    expect(table.sha256).to.equal("029220e40ea10ab84c9f3b2858c21ad2e43dcc0c13fef775201568770b9529f3");
  });

  it("adds up to the Wh: 14,895.865 kWh, and 25.204 kWh in the peak half-hour", () => {
    expect(total(table)).to.equal(14_895_865);
    const sums = Array.from({ length: table.periods }, (_, n) => periodSum(table, n));
    expect(Math.max(...sums)).to.equal(25_204);
    expect(sums.indexOf(25_204)).to.equal(20 * 48 + 37); // 2013-04-28T18:30
  });

  it("gives each household what the publisher's table says", () => {
    const lines = readFileSync(dataFile("sgsc/sgsc50_households.csv"), "utf8").trim().split("\n").slice(1);
    const expected = lines.map((line) => [line.split(",")[0], Math.round(Number(line.split(",")[9]) * 1000)]);
    expect(table.households.map((name, i) => [name, householdSum(table, i)])).to.deep.equal(expected);
    expect(householdSum(table, table.households.indexOf("H10018246"))).to.equal(0);
  });

  it("can be entered at any day and left after any number of them", async () => {
    const days = await readReadings(SGSC, { from: "2013-04-30", days: 2 });
    expect(days.firstPeriod).to.deep.equal({ month: APRIL_2013, k: 29 * 48 });
    expect(days.periods).to.equal(96);
    expect(periodSum(days, 47)).to.equal(periodSum(table, 23 * 48 - 1));
    const end = await readReadings(SGSC, { from: "2013-05-07", days: 9 });
    expect(end.periods).to.equal(48);
  });

  it("begins where its zone says", async () => {
    const sydney = await readReadings(SGSC, { timezone: "Australia/Sydney", from: "2013-04-09", days: 1 });
    expect(sydney.firstPeriod).to.deep.equal({ month: APRIL_2013, k: 7 * 48 + 28 }); // 14:00 UTC
    expect(periodSum(sydney, 0)).to.equal(periodSum(table, 48));
  });

  it("is small in memory and knows its bounds", () => {
    expect(() => table.consumption(50, 0)).to.throw(RangeError);
    expect(() => table.consumption(0, 1440)).to.throw(RangeError);
    expect(() => table.consumption(1, -1)).to.throw(RangeError);
  });
});

describe("the Swiss file", () => {
  it("is read on its last day, with what is negative and what is huge", async () => {
    const day = await readReadings(SWISS, { start: "2019-10-28", from: "2019-11-26", days: 1 });
    expect(day.format).to.equal("undated");
    expect(day.households).to.have.length(537);
    expect(day.firstPeriod).to.deep.equal({ month: NOVEMBER_2019, k: 25 * 48 });
    expect(day.periods).to.equal(48);
    expect(total(day)).to.equal(29_567_435);
    expect(day.consumption(day.households.indexOf("V9717902"), 19)).to.equal(-11_990);
    const big = day.households.indexOf("V2046645");
    expect([44, 45, 46, 47].map((n) => day.consumption(big, n))).to.deep.equal([57_234, 115_198, 158_322, 154_872]);
    expect(day.sha256).to.equal(createHash("sha256").update(readFileSync(SWISS)).digest("hex"));
  });

  it("is gzip by its bytes as well as by its name", async () => {
    const scratch = new Scratch();
    const some = gunzipSync(readFileSync(SWISS)).toString().split("\n").slice(0, 49).join("\n");
    const table = await readReadings(scratch.write("swiss.csv", gzipSync(some)), { start: "2019-10-28T00:30" });
    expect(table.periods).to.equal(48);
    expect(table.firstPeriod).to.deep.equal({ month: NOVEMBER_2019 - 1, k: 27 * 48 + 1 });
    scratch.clean();
  });
});

describe("a readings file", () => {
  const scratch = new Scratch();
  afterEach(() => {
    scratch.clean();
  });

  it("of Low Carbon London has blanks at every end, Nulls, and households one after the other", async () => {
    const file = scratch.write(
      "lcl.csv",
      [
        "LCLid,stdorToU,DateTime,KWH/hh (per half hour) ",
        "MAC000002,Std,2012-10-12 00:30:00.0000000, 0.125 ",
        "MAC000002,Std,2012-10-12 01:00:00.0000000, 0.25 ",
        "MAC000002,Std,2012-10-12 01:00:00.0000000, 0.250 ",
        "MAC000002,Std,2012-10-12 01:13:41.0000000,Null",
        "MAC000002,Std,2012-10-12 02:00:00.0000000,Null",
        "MAC000003,ToU,2012-10-12 02:00:00.0000000, 1.5 ",
        "MAC000003,ToU,2012-10-12 00:00:00.0000000, 1 ",
        "",
      ].join("\r\n"),
    );
    const table = await readReadings(file);
    expect(table.format).to.equal("long");
    expect(table.households).to.deep.equal(["MAC000002", "MAC000003"]);
    expect(table.firstPeriod).to.deep.equal({ month: 12 * 2012 + 9, k: 11 * 48 });
    expect(cells(table)).to.deep.equal([
      [null, 125, 250, null, null],
      [1000, null, null, null, 1500],
    ]);
    expect(table.counted).to.deep.equal({ identicalRepeats: 1, offGridNulls: 1, blanks: 1 });
  });

  it("keeps fractions of a watt-hour in the register, over blanks and before the first day too", async () => {
    const file = scratch.write(
      "fractions.csv",
      "reading_datetime,A,B\n2020-01-01T23:30,0.0006,-0.0005\n2020-01-02T00:00,0.0006,\n2020-01-02T00:30,0.0008,-0.0005\n",
    );
    expect(cells(await readReadings(file))).to.deep.equal([
      [0, 1, 1],
      [-1, null, 0],
    ]);
    expect(cells(await readReadings(file, { from: "2020-01-02" }))).to.deep.equal([
      [1, 1],
      [null, 0],
    ]);
  });

  it("may lack rows, which are readings that were never made, and say some twice", async () => {
    const rows = ["2020-01-01T01:30,4,5", "2020-01-01T00:00,1,2", "2020-01-01T00:00,1.0,2"];
    const file = scratch.write("gaps.csv", `reading_datetime,A,B\n${rows.join("\n")}\n`);
    const table = await readReadings(file);
    expect(cells(table)).to.deep.equal([
      [1000, null, null, 4000],
      [2000, null, null, 5000],
    ]);
    expect(table.counted.identicalRepeats).to.equal(1);
  });

  it("may have quarters, by its form or because it is said", async () => {
    const undated = scratch.write("q.csv", "week,day_of_week,quarter,A\n44,1,95,1\n44,2,1,2\n");
    const table = await readReadings(undated, { start: "2019-10-28" });
    expect(table.periodSeconds).to.equal(900);
    expect(cells(table)).to.deep.equal([[1000, null, 2000]]);
    const dated = scratch.write("d.csv", "reading_datetime,A\n2019-10-28T00:15,1\n2019-10-28T00:30,2\n");
    expect((await readReadings(dated, { periodSeconds: 900 })).firstPeriod.k).to.equal(27 * 96 + 1);
  });

  it("has the hour twice when summer time ends, first the earlier pass and then the later one", async () => {
    const times = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"];
    const rows = times.map((time, i) => `2013-10-27T${time},${i}`);
    const file = scratch.write("autumn.csv", `reading_datetime,A\n${rows.join("\n")}\n`);
    const table = await readReadings(file, { timezone: "Europe/London" });
    expect(cells(table)).to.deep.equal([[0, 1000, 2000, 3000, 4000, 5000]]);
    expect(table.firstPeriod.k).to.equal(26 * 48 - 1); // 2013-10-26T23:30Z
  });

  it("may begin with a byte order mark and have an offset at every time", async () => {
    const file = scratch.write("bom.csv", "\ufeffreading_datetime,A\n2024-06-01T00:00+10:00,1\n");
    const table = await readReadings(file, { timezone: "Europe/London" });
    expect(table.firstPeriod).to.deep.equal({ month: 12 * 2024 + 4, k: 30 * 48 + 28 });
  });

  it("may cross the end of a month", async () => {
    const file = scratch.write("cross.csv", "reading_datetime,A\n2013-02-28T23:30,1\n2013-03-01T00:00,2\n");
    expect(await readReadings(file)).to.deep.include({ firstPeriod: { month: 12 * 2013 + 1, k: 1343 }, periods: 2 });
  });
});
