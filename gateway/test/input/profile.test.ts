import { expect } from "chai";
import { monthOf } from "@veilgrid/protocol";
import { LoadProfile, profileHouseholds, type ProfileOptions } from "../../src/input/profile.js";
import type { ReadingsTable } from "../../src/input/table.js";
import { SeededRandom } from "../../src/random.js";
import { dataFile, expectRefusal, Scratch } from "./files.js";

const OPTIONS: ProfileOptions = {
  count: 12,
  firstPeriod: { month: monthOf("2025-01"), k: 0 },
  periods: 96,
  periodSeconds: 1800,
  random: SeededRandom.of(1),
};

function row(table: ReadingsTable, household: number): number[] {
  return Array.from({ length: table.periods }, (_, n) => table.consumption(household, n) as number);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe("households of the standard load profile", () => {
  it("are the same for the same seed, and differ from each other and by seed", async () => {
    const [one, same, other] = await Promise.all([
      profileHouseholds(OPTIONS),
      profileHouseholds(OPTIONS),
      profileHouseholds({ ...OPTIONS, random: SeededRandom.of(2) }),
    ]);
    expect(one).to.deep.include({ format: "profile", periods: 96, periodSeconds: 1800 });
    expect(one.households.slice(0, 2)).to.deep.equal(["P0001", "P0002"]);
    expect(row(same, 0)).to.deep.equal(row(one, 0));
    expect(row(one, 1)).not.to.deep.equal(row(one, 0));
    expect(row(other, 0)).not.to.deep.equal(row(one, 0));
  });

  it("have a reading in every period, of a household's size", async () => {
    const table = await profileHouseholds(OPTIONS);
    for (const household of table.households.keys()) {
      const values = row(table, household);
      expect(Math.min(...values), "least").to.be.at.least(0);
      expect(total(values) / 2, "a winter's day, Wh").to.be.within(3000, 25_000);
    }
  });

  it("use more on a winter evening than at night, by the clock they live by", async () => {
    const table = await profileHouseholds({ ...OPTIONS, count: 40, periods: 48 });
    const at = (n: number): number => total(Array.from({ length: 40 }, (_, i) => table.consumption(i, n) as number));
    expect(at(38)).to.be.greaterThan(3 * at(6));
    const zurich = await profileHouseholds({ ...OPTIONS, periods: 48, timezone: "Europe/Zurich" });
    expect(row(zurich, 0)).not.to.deep.equal(row(table, 0));
  });

  it("have quarters that are half as big", async () => {
    const halves = await profileHouseholds({ ...OPTIONS, count: 30, periods: 48 });
    const quarters = await profileHouseholds({ ...OPTIONS, count: 30, periods: 96, periodSeconds: 900 });
    const all = (table: ReadingsTable): number => total([...table.households.keys()].flatMap((i) => row(table, i)));
    expect(all(quarters) / all(halves)).to.be.within(0.97, 1.03);
  });
});

describe("the load profile H0", () => {
  it("is 1,000 kWh a year before BDEW's dynamisation", async () => {
    const profile = await LoadProfile.read(dataFile("profiles/bdew_slp_household.csv"));
    let milliwattQuarters = 0;
    for (let at = Date.UTC(2025, 0, 1); at < Date.UTC(2026, 0, 1); at += 900_000) milliwattQuarters += profile.at(at);
    expect(milliwattQuarters / 4 / 1e6).to.be.within(950, 1050);
  });

  it("has its seasons and days", async () => {
    const profile = await LoadProfile.read(dataFile("profiles/bdew_slp_household.csv"));
    const at = (time: string): number => profile.at(Date.parse(`${time}Z`));
    expect(at("2025-01-04T00:00")).to.equal(70_800); // winter, saturday
    expect([at("2025-03-20T12:00"), at("2025-03-21T12:00")]).to.deep.equal([
      at("2025-01-02T12:00"),
      at("2025-10-31T12:00"),
    ]);
    expect(at("2025-05-14T12:00")).to.equal(at("2025-10-31T12:00"));
    expect(at("2025-05-15T12:00")).to.equal(at("2025-09-12T12:00"));
    expect(at("2025-09-15T12:00")).to.equal(at("2025-10-31T12:00"));
    expect(at("2025-11-03T12:00")).to.equal(at("2025-01-02T12:00"));
    expect(at("2025-06-01T12:00")).not.to.equal(at("2025-06-02T12:00"));
  });

  it("has to be whole", async () => {
    const scratch = new Scratch();
    const read = (content: string): Promise<LoadProfile> => LoadProfile.read(scratch.write("p.csv", content));
    const header = "profile_id,period,day,timestamp,watts\n";
    await expectRefusal(() => read("a,b\n"), "unknown-header");
    await expectRefusal(() => read(`${header}H0,winter,saturday,00:00,high\n`), "bad-number", { line: 2 });
    await expectRefusal(() => read(`${header}H0,winter,saturday,00:00,70.8\n`), "row-length");
    scratch.clean();
  });
});
