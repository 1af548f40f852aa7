import { expect } from "chai";
import { KIND } from "@veilgrid/protocol";
import { expectedOf } from "../src/world/expected.js";
import { honestRun, SMALL, SMALL_TERMS } from "../src/world/honest.js";
import type { Finished } from "../src/world/small-run.js";
import { columns } from "../src/world/tables.js";

describe("an honest run of twelve real homes", () => {
  let run: Finished;
  before(async () => {
    run = await honestRun();
  });
  const expected = expectedOf(SMALL, SMALL_TERMS);

  it("releases every region's sum to the Wh of the file", () => {
    const names = ["region", "period_start", "meters", "consumption_wh", "price_micro_per_kwh"];
    expect(columns(run.periods, names)).to.deep.equal(expected.periods);
    expect(run.periods).to.have.length(24);
    expect(new Set(run.periods.map(({ basis }) => basis))).to.deep.equal(new Set(["measured"]));
  });

  it("bills every customer what the file says, to the unit", () => {
    const names = ["meter", "month", "energy_wh", "energy_cost_nano", "total_minor", "missing"];
    expect(columns(run.bills, names)).to.deep.equal(expected.bills);
    expect(run.bills).to.have.length(12);
  });

  it("carries a register's fraction over instead of losing it", () => {
    // Its cells add up to 1,377 Wh, and to 1,385.4 with the 0.7 Wh more that each has in this file.
    expect(run.bills[0]).to.include({ meter: "H10006414", energy_wh: "1385" });
  });

  it("verifies every bill from the ledger", () => {
    expect(run.bills.map(({ verified }) => verified)).to.deep.equal(Array.from({ length: 12 }, () => "true"));
    expect(run.outcome.bills.map(({ difference }) => difference)).to.deep.equal(run.bills.map(() => null));
  });

  it("leaves a ledger in which an audit finds nothing, under one leader", () => {
    const { findings, readings, invalid, elections, kinds } = run.audit;
    expect(findings).to.deep.equal([]);
    expect({ readings, invalid, elections }).to.deep.equal({ readings: 2 * 12 * 12, invalid: 0, elections: 1 });
    expect(kinds).to.include({ epoch: 2, readings: 24, bills: 1 });
  });

  it("has one block for each region's period, in their order, none with a fault", () => {
    for (const region of [1, 2]) {
      const blocks = run.headers.filter((header) => header.region === region && header.kind === KIND.readings);
      expect(blocks.map(({ period }) => period.k)).to.deep.equal(Array.from({ length: 12 }, (_, n) => 7 * 48 + n));
      expect(blocks.filter(({ aggFault }) => aggFault)).to.deep.equal([]);
      expect(blocks.map(({ count }) => count)).to.deep.equal(blocks.map(() => 12));
    }
  });
});
