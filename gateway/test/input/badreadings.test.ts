import { gzipSync } from "node:zlib";
import { expect } from "chai";
import type { Facts } from "@veilgrid/protocol";
import type { ReadingsOptions } from "../../src/input/options.js";
import { readReadings } from "../../src/input/readings.js";
import { expectRefusal, Scratch, SGSC, SWISS } from "./files.js";

const WIDE = "reading_datetime,A,B\n2020-01-01T00:00,1,2\n";
const LONG = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n";
const UNDATED = "period,week,day_of_week,half_hour,A\n1,44,1,0,1\n";

interface Case {
  readonly what: string;
  readonly content: string | Uint8Array;
  readonly options?: ReadingsOptions;
  readonly code: string;
  readonly facts?: Facts;
}

const CASES: readonly Case[] = [
  {
    what: "text where a number belongs",
    content: `${WIDE}2020-01-01T00:30,x7,1\n`,
    code: "bad-number",
    facts: { line: 3, column: "A", reason: '"x7" is not a decimal number' },
  },
  {
    what: "a decimal comma",
    content: `${WIDE}2020-01-01T00:30,1,"1,5"\n`,
    code: "bad-number",
    facts: { line: 3, column: "B" },
  },
  {
    what: "more decimals than a register has",
    content: `${WIDE}2020-01-01T00:30,0.0000000001,1\n`,
    code: "bad-number",
    facts: { line: 3 },
  },
  {
    what: "a reading beyond every register",
    content: `${WIDE}2020-01-01T00:30,2000000.001,1\n`,
    code: "bad-number",
    facts: { line: 3, column: "A" },
  },
  {
    what: "one beyond it on the other side",
    content: `${WIDE}2020-01-01T00:30,1,-2000000.001\n`,
    code: "bad-number",
    facts: { line: 3, column: "B" },
  },
  {
    what: "text in the long form",
    content: `${LONG}M,Std,2012-10-12 00:30:00,abc\r\n`,
    code: "bad-number",
    facts: { line: 2, column: "KWH/hh (per half hour)" },
  },
  { what: "a time off the grid", content: `${WIDE}2020-01-01T00:31,1,2\n`, code: "time-off-grid", facts: { line: 3 } },
  {
    what: "a time off the grid with one value",
    content: `${WIDE}2020-01-01T00:31,,2\n`,
    code: "time-off-grid",
    facts: { line: 3 },
  },
  {
    what: "a quarter among half-hours",
    content: `${WIDE}2020-01-01T00:15,1,2\n`,
    code: "time-off-grid",
    facts: { line: 3 },
  },
  {
    what: "a value off the grid in the long form",
    content: `${LONG}M,Std,2012-10-12 00:31:07.0000000,0.1\r\n`,
    code: "time-off-grid",
    facts: { line: 2 },
  },
  {
    what: "a repeated row with another value",
    content: `${WIDE}2020-01-01T00:00,1,2.5\n`,
    code: "repeated-row",
    facts: {
      line: 3,
      column: "B",
      reason: "an earlier row of the same period has 2.000000000 kWh, this one 2.500000000 kWh",
    },
  },
  {
    what: "a repeated row without the value",
    content: `${WIDE}2020-01-01T00:00,1,\n`,
    code: "repeated-row",
    facts: { line: 3, column: "B" },
  },
  {
    what: "no time",
    content: `${WIDE}yesterday,1,2\n`,
    code: "bad-time",
    facts: { line: 3, column: "reading_datetime" },
  },
  {
    what: "a day that no calendar has",
    content: `${WIDE}2021-02-29T00:00,1,2\n`,
    code: "bad-time",
    facts: { line: 3 },
  },
  {
    what: "a cell too few",
    content: `${WIDE}2020-01-01T00:30,1\n`,
    code: "row-length",
    facts: { line: 3, reason: "it has 2 cells, the header 3" },
  },
  { what: "a cell too many", content: `${WIDE}2020-01-01T00:30,1,2,3\n`, code: "row-length", facts: { line: 3 } },
  {
    what: "a century too late",
    content: `${WIDE}2120-01-01T00:00,1,2\n`,
    code: "gap",
    facts: { line: 3, reason: "it lies 36524 days from the file's first row" },
  },
  { what: "an unknown header", content: "time,A\n2020-01-01T00:00,1\n", code: "unknown-header", facts: { line: 1 } },
  { what: "no household", content: "reading_datetime\n2020-01-01T00:00\n", code: "unknown-header" },
  {
    what: "a household without a name",
    content: "reading_datetime,A,\n2020-01-01T00:00,1,2\n",
    code: "unknown-header",
    facts: { reason: "column 3 has no name" },
  },
  {
    what: "a household twice",
    content: "reading_datetime,A,A\n2020-01-01T00:00,1,2\n",
    code: "unknown-header",
    facts: { column: "A" },
  },
  {
    what: "a long form without its column",
    content: "LCLid,stdorToU,DateTime,kWh\n",
    code: "unknown-header",
    facts: { reason: 'it has no column "KWH/hh (per half hour)"' },
  },
  {
    what: "undated columns in another order",
    content: "week,period,day_of_week,half_hour,A\n",
    code: "unknown-header",
  },
  {
    what: "a long row without household",
    content: `${LONG},Std,2012-10-12 00:30:00,0.1\r\n`,
    code: "bad-household",
    facts: { line: 2 },
  },
  { what: "nothing", content: "", code: "empty-file" },
  { what: "nothing but empty lines", content: "\n\n", code: "empty-file" },
  { what: "nothing after the header", content: "reading_datetime,A\n", code: "empty-file" },
  {
    what: "nothing but an off-grid Null",
    content: `${LONG}M,Std,2012-10-12 00:31:07.0000000,Null\r\n`,
    code: "empty-file",
  },
  { what: "quotes that do not close", content: `${WIDE}"2020-01-01T00:30,1,2\n`, code: "bad-csv" },
  { what: "no dates and no start", content: UNDATED, code: "needs-start" },
  {
    what: "half-hours where quarters are asked for",
    content: UNDATED,
    options: { start: "2019-10-28", periodSeconds: 900 },
    code: "period-mismatch",
  },
  {
    what: "a week that is none",
    content: `${UNDATED}2,54,1,1,1\n`,
    options: { start: "2019-10-28" },
    code: "bad-time",
    facts: { line: 3, column: "week" },
  },
  {
    what: "a day of the week that is none",
    content: `${UNDATED}2,44,8,1,1\n`,
    options: { start: "2019-10-28" },
    code: "bad-time",
    facts: { line: 3, column: "day_of_week" },
  },
  {
    what: "a half-hour that is none",
    content: `${UNDATED}2,44,1,48,1\n`,
    options: { start: "2019-10-28" },
    code: "bad-time",
    facts: { line: 3, column: "half_hour" },
  },
  {
    what: "a period that is not where its columns say",
    content: `${UNDATED}3,44,1,1,1\n`,
    options: { start: "2019-10-28" },
    code: "bad-time",
    facts: { line: 3, column: "period" },
  },
  {
    what: "an undated row before the first",
    content: `${UNDATED}2,43,7,47,1\n`,
    options: { start: "2019-10-28" },
    code: "bad-time",
    facts: { line: 3 },
  },
  {
    what: "an undated row twice",
    content: `${UNDATED}1,44,1,0,2\n`,
    options: { start: "2019-10-28" },
    code: "repeated-row",
    facts: { line: 3, column: "A" },
  },
  {
    what: "the hour that London skipped",
    content: "reading_datetime,A\n2013-03-31T01:00,1\n",
    options: { timezone: "Europe/London" },
    code: "time-nonexistent",
    facts: { line: 2 },
  },
  {
    what: "the hour that London had twice, once",
    content: "reading_datetime,A\n2013-10-27T01:00,1\n2013-10-27T02:00,1\n",
    options: { timezone: "Europe/London" },
    code: "time-ambiguous",
    facts: { line: 2 },
  },
  {
    what: "a time that a zone puts off the grid",
    content: WIDE,
    options: { timezone: "Asia/Kathmandu" },
    code: "time-off-grid",
    facts: { line: 2 },
  },
];

describe("a bad readings file is refused:", () => {
  const scratch = new Scratch();
  afterEach(() => {
    scratch.clean();
  });

  for (const { what, content, options, code, facts } of CASES) {
    it(`${what} (${code})`, async () => {
      const path = scratch.write("bad.csv", content);
      const message = await expectRefusal(() => readReadings(path, options), code, { file: "bad.csv", ...facts });
      expect(message).to.match(/^bad\.csv/);
    });
  }

  it("cut gzip (bad-gzip)", async () => {
    const whole = gzipSync(WIDE);
    await expectRefusal(() => readReadings(scratch.write("cut.csv", whole.subarray(0, 30))), "bad-gzip");
    await expectRefusal(() => readReadings(scratch.write("named.csv.gz", WIDE)), "bad-gzip", { file: "named.csv.gz" });
  });

  it("a file that is not there, or is a folder (unreadable-file)", async () => {
    await expectRefusal(() => readReadings(`${SGSC}.none`), "unreadable-file");
    await expectRefusal(() => readReadings(scratch.write("a", "").slice(0, -1)), "unreadable-file");
  });

  it("options that make no sense", async () => {
    await expectRefusal(() => readReadings(SGSC, { timezone: "Moon" }), "unknown-timezone");
    await expectRefusal(() => readReadings(SGSC, { days: 0 }), "bad-option", { option: "days" });
    await expectRefusal(() => readReadings(SGSC, { days: 1.5 }), "bad-option", { option: "days" });
    await expectRefusal(() => readReadings(SGSC, { from: "8 April" }), "bad-option", { option: "from" });
    await expectRefusal(() => readReadings(SWISS, { start: "2019" }), "bad-option", { option: "start" });
    const skipped = { start: "2013-03-31T01:30", timezone: "Europe/London" };
    await expectRefusal(() => readReadings(SWISS, skipped), "bad-option", { option: "start" });
  });

  it("a first day of which it has nothing", async () => {
    await expectRefusal(() => readReadings(SGSC, { from: "2013-04-07" }), "bad-option", { option: "from" });
    const message = await expectRefusal(() => readReadings(SGSC, { from: "2013-05-08" }), "bad-option");
    expect(message).to.include("2013-04-08T00:00:00.000Z to 2013-05-07T23:30:00.000Z");
  });

  it("but not for a doubled hour outside the days that are asked for", async () => {
    const rows = "2013-10-25T00:00,1\n2013-10-27T01:00,1\n";
    const path = scratch.write("autumn.csv", `reading_datetime,A\n${rows}`);
    const table = await readReadings(path, { timezone: "Europe/London", from: "2013-10-25", days: 1 });
    expect(table.periods).to.equal(48);
  });
});
