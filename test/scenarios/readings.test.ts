import { expect } from "chai";
import { expectedOf, type Terms } from "../src/world/expected.js";
import { SMALL, SMALL_TERMS } from "../src/world/honest.js";
import { MeterCsv } from "../src/world/meter-csv.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";
import { columns } from "../src/world/tables.js";

/** Periods and bills are what the file says, every bill verifies, and an audit finds nothing. */
function expectRight(run: Finished, csv: MeterCsv, terms: Terms = SMALL_TERMS): void {
  const expected = expectedOf(csv, terms);
  const periods = ["region", "period_start", "meters", "consumption_wh", "price_micro_per_kwh"];
  expect(columns(run.periods, periods)).to.deep.equal(expected.periods);
  const bills = ["meter", "month", "energy_wh", "energy_cost_nano", "total_minor", "missing"];
  expect(columns(run.bills, bills)).to.deep.equal(expected.bills);
  expect(run.bills.filter(({ verified }) => verified !== "true")).to.deep.equal([]);
  expect(run.audit.findings).to.deep.equal([]);
}

describe("a file that crosses a month's end", () => {
  it("gives every customer two bills, each of its month's periods", async () => {
    const csv = MeterCsv.sgsc(12, 12, "2013-04-30T21:00Z");
    const run = await finish(await beginRun(csv));
    expectRight(run, csv);
    expect(run.bills.map(({ month }) => month)).to.deep.equal([
      ...Array.from({ length: 12 }, () => "2013-04"),
      ...Array.from({ length: 12 }, () => "2013-05"),
    ]);
    // An epoch ends with its month: two in each region.
    expect(run.audit.kinds).to.include({ epoch: 4, readings: 24, bills: 2 });
  });
});

describe("cells that are blank", () => {
  // One of the home whose register has a fraction, the last of region 1's third, two of region 2's first, a whole column.
  const blank = (household: number, n: number): boolean =>
    (household === 0 && n === 3) ||
    (household === 4 && n === 11) ||
    (household === 1 && (n === 5 || n === 6)) ||
    household === 9;
  const csv = SMALL.with((text, household, n) => (blank(household, n) ? "" : text));

  it("are missing on their customer's bill and disturb nobody else's", async () => {
    const run = await finish(await beginRun(csv));
    expectRight(run, csv);
    const missing = run.bills.filter((bill) => bill.missing !== "0").map((bill) => [bill.meter, bill.missing]);
    expect(missing).to.deep.equal([
      [SMALL.households[0], "1"],
      [SMALL.households[1], "2"],
      [SMALL.households[4], "1"],
      [SMALL.households[9], "12"],
    ]);
    // Region 2 has four complete meters in two periods, fewer than a release needs: metered, billed, and not shown.
    expect(columns(run.periods, ["region", "meters", "consumption_wh", "basis"]).slice(17, 19)).to.deep.equal([
      { region: "2", meters: "4", consumption_wh: "", basis: "too-few" },
      { region: "2", meters: "4", consumption_wh: "", basis: "too-few" },
    ]);
  });
});

describe("readings that are out of the ordinary", () => {
  it("may be negative: a home that exports", async () => {
    const csv = SMALL.with((text, household, n) => (household === 3 || n === 7 ? `-${text}` : text));
    const run = await finish(await beginRun(csv));
    expectRight(run, csv);
    expect(Number(run.bills[3]?.total_minor)).to.be.below(0);
    expect(Number(run.periods[7]?.consumption_wh)).to.be.below(0);
  });

  it("are excluded beyond the bound, in both directions, and missing on the bill", async () => {
    const odd = new Map([
      ["2/3", "158.322"],
      ["2/4", "-36.480"],
      ["5/3", "5.001"],
      ["7/8", "5.000"],
      ["7/9", "-5.001"],
    ]);
    const csv = SMALL.with((text, household, n) => odd.get(`${household}/${n}`) ?? text);
    const run = await finish(await beginRun(csv, { maxWhPerPeriod: 5000 }));
    expectRight(run, csv, { ...SMALL_TERMS, maxWh: 5000 });
    const missing = run.bills.filter((bill) => bill.missing !== "0").map((bill) => [bill.meter, bill.missing]);
    expect(missing).to.deep.equal([
      [SMALL.households[2], "2"],
      [SMALL.households[5], "1"],
      [SMALL.households[7], "1"],
    ]);
    // All of them are on the ledger, and no block has a fault: what they say is known to KGCBP alone.
    expect(run.audit.readings).to.equal(2 * 12 * 12);
    expect(run.headers.filter(({ aggFault }) => aggFault)).to.deep.equal([]);
  });

  it("may be of quarter-hours", async () => {
    const csv = SMALL.every(900);
    const run = await finish(await beginRun(csv));
    expectRight(run, csv);
    expect(run.periods.map(({ period_start }) => period_start).slice(0, 3)).to.deep.equal([
      "2013-04-08T00:00Z",
      "2013-04-08T00:15Z",
      "2013-04-08T00:30Z",
    ]);
  });
});
