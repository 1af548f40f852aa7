import { expect } from "chai";
import fc from "fast-check";
import { addPeriods, monthOf } from "@veilgrid/protocol";
import { parsePolicy, type PolicyOptions } from "../../src/input/prices.js";
import { expectRefusal, Scratch } from "./files.js";

const HALF_HOURS: PolicyOptions = { periodSeconds: 1800 };
const APRIL = monthOf("2013-04");
const at = (k: number): { month: number; k: number } => ({ month: APRIL, k });
const BANDS = "tou:00-07=120000,07-17=250000,17-21=400000,21-24=250000";

describe("price policies", () => {
  it("flat: one price, measured or not, negative too", async () => {
    const policy = await parsePolicy("flat:250000", HALF_HOURS);
    expect([policy.price(1, at(0), 5n), policy.price(2, at(9), undefined)]).to.deep.equal([250_000n, 250_000n]);
    policy.covers(at(0), 100_000);
    expect(policy.describe()).to.equal("250000 micro-units per kWh in every period, measured or not");
    expect((await parsePolicy("flat:-5", HALF_HOURS)).price(1, at(0), 1n)).to.equal(-5n);
    expect(policy.sha256).to.equal(undefined);
  });

  it("time of use: by the hour in UTC", async () => {
    const policy = await parsePolicy(BANDS, HALF_HOURS);
    const ks = [0, 13, 14, 33, 34, 41, 42, 47, 48];
    expect(ks.map((k) => Number(policy.price(1, at(k), undefined)))).to.deep.equal([
      120_000, 120_000, 250_000, 250_000, 400_000, 400_000, 250_000, 250_000, 120_000,
    ]);
    policy.covers(at(0), 1440);
    expect(policy.describe()).to.include("UTC").and.to.include("17-21=400000");
  });

  it("time of use: by a zone's hour, summer time included", async () => {
    const policy = await parsePolicy(BANDS, { ...HALF_HOURS, timezone: "Europe/London" });
    expect([11, 12].map((k) => Number(policy.price(1, at(k), 0n)))).to.deep.equal([120_000, 250_000]);
    const winter = { month: monthOf("2013-01"), k: 13 };
    expect(policy.price(1, winter, 0n)).to.equal(120_000n);
  });

  it("time of use: over midnight and at quarters", async () => {
    const policy = await parsePolicy("tou:22:15-06=1, 06-22:15=2", { periodSeconds: 900 });
    expect([0, 23, 24, 88, 89, 95].map((k) => Number(policy.price(1, at(k), 0n)))).to.deep.equal([1, 1, 2, 2, 1, 1]);
    const all = await parsePolicy("tou:00-24=7", HALF_HOURS);
    expect(all.price(1, at(47), 0n)).to.equal(7n);
  });

  it("linear: base and slope by the region's kWh, to the nearest micro-unit", async () => {
    const policy = await parsePolicy("linear:200000,1500", HALF_HOURS);
    expect(policy.price(1, at(0), 10_000n)).to.equal(215_000n);
    expect(policy.price(1, at(0), 1n)).to.equal(200_002n); // 1.5 micro-units
    expect(policy.price(1, at(0), -1n)).to.equal(199_998n);
    expect(policy.price(1, at(0), undefined)).to.equal(200_000n);
    policy.covers(at(0), 1440);
    expect(policy.describe()).to.include("200000 where its sum is not measured");
  });

  it("linear: held between bounds, the fallback too", async () => {
    const policy = await parsePolicy("linear:100,50,120,300", HALF_HOURS);
    const prices = [undefined, 0n, 1000n, 100_000n].map((wh) => policy.price(1, at(0), wh));
    expect(prices).to.deep.equal([120n, 120n, 150n, 300n]);
    expect(policy.describe()).to.include("at least 120 and at most 300; 120 where");
  });

  it("linear: never leaves its bounds", async () => {
    const policy = await parsePolicy("linear:-100,7,-500,900", HALF_HOURS);
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }), (wh) => {
        const price = policy.price(1, at(0), wh);
        return price >= -500n && price <= 900n;
      }),
    );
  });

  for (const [text, reason] of [
    ["250000", "none of"],
    ["free:1", "none of"],
    ["flat:", "whole number"],
    ["flat:0.25", "whole number"],
    ["flat:1e5", "whole number"],
    ["flat:1000000000000000000000", "whole number"],
    ["tou:", "not a band"],
    ["tou:00-24", "not a band"],
    ["tou:00-07=1", "no band has 07:00"],
    ["tou:00-12=1,11:30-24=2", "two bands have 11:30"],
    ["tou:00-25=1", "quarter-hour"],
    ["tou:00:10-24=1", "quarter-hour"],
    ["tou:00:60-24=1", "quarter-hour"],
    ["tou:00-24=cheap", "whole number"],
    ["linear:1", "BASE,SLOPE"],
    ["linear:1,2,3", "BASE,SLOPE"],
    ["linear:1,2,3,4,5", "BASE,SLOPE"],
    ["linear:1,2,4,3", "4 is above 3"],
    ["linear:a,b", "whole number"],
    ["csv:", "no file"],
  ] as const) {
    it(`"${text}" is refused`, async () => {
      const message = await expectRefusal(() => parsePolicy(text, HALF_HOURS), "bad-policy", { policy: text });
      expect(message).to.include(reason);
    });
  }

  it("a zone that is none is refused", () =>
    expectRefusal(() => parsePolicy(BANDS, { ...HALF_HOURS, timezone: "Here" }), "unknown-timezone"));
});

describe("a price file", () => {
  const scratch = new Scratch();
  afterEach(() => {
    scratch.clean();
  });
  const HEADER = "period_start,price_micro_per_kwh\n";

  it("has a price for each period, in any order and any way of writing the time", async () => {
    const rows = ["2013-04-01T00:30:00Z,-7", "2013-04-01T00:00Z,250000", "2013-04-01T00:00:00.000Z,250000"];
    const path = scratch.write("prices.csv", `${HEADER}${rows.join("\n")}\n`);
    const policy = await parsePolicy(`csv:${path}`, HALF_HOURS);
    expect([policy.price(1, at(0), undefined), policy.price(2, at(1), 3n)]).to.deep.equal([250_000n, -7n]);
    policy.covers(at(0), 2);
    expect(policy.describe()).to.equal("2 prices of prices.csv, measured or not");
    expect(policy.sha256).to.match(/^[0-9a-f]{64}$/);
  });

  it("names the first period without a price, for the whole run ahead of it", async () => {
    const rows = [0, 1, 3].map((h) => `2013-04-01T0${h}:00Z,1\n`).join("");
    const policy = await parsePolicy(`csv:${scratch.write("p.csv", `${HEADER}${rows}`)}`, HALF_HOURS);
    policy.covers(at(0), 1);
    const facts = { file: "p.csv", period: "2013-04-01T00:30:00.000Z", periods: 4 };
    const message = await expectRefusal(
      () => {
        policy.covers(at(0), 6);
      },
      "price-missing",
      facts,
    );
    expect(message).to.equal("p.csv: no price for the period 2013-04-01T00:30:00.000Z and 3 more");
    await expectRefusal(() => policy.price(1, addPeriods(at(0), -1, 1800), 0n), "price-missing", {
      period: "2013-03-31T23:30:00.000Z",
    });
  });

  for (const [what, content, code, facts] of [
    ["another header", "time,price\n", "unknown-header", { line: 1 }],
    ["a header and no price", HEADER, "empty-file", {}],
    ["nothing at all", "", "empty-file", {}],
    ["a third cell", `${HEADER}2013-04-01T00:00Z,1,2\n`, "row-length", { line: 2 }],
    ["a time without Z", `${HEADER}2013-04-01T00:00,1\n`, "bad-time", { line: 2 }],
    ["a time with an offset", `${HEADER}2013-04-01T00:00+00:00,1\n`, "bad-time", { line: 2 }],
    ["a time that is none", `${HEADER}2013-04-31T00:00Z,1\n`, "bad-time", { line: 2 }],
    ["a time off the grid", `${HEADER}2013-04-01T00:15Z,1\n`, "time-off-grid", { line: 2 }],
    ["a price with a fraction", `${HEADER}2013-04-01T00:00Z,1.5\n`, "bad-number", { line: 2 }],
    ["a price that is text", `${HEADER}2013-04-01T00:00Z,high\n`, "bad-number", { line: 2 }],
    ["a price of more than 64 bits", `${HEADER}2013-04-01T00:00Z,9223372036854775808\n`, "bad-number", { line: 2 }],
    ["no price", `${HEADER}2013-04-01T00:00Z,\n`, "bad-number", { line: 2 }],
    ["another price for a period", `${HEADER}2013-04-01T00:00Z,1\n2013-04-01T00:00Z,2\n`, "repeated-row", { line: 3 }],
  ] as const) {
    it(`with ${what} is refused (${code})`, () =>
      expectRefusal(() => parsePolicy(`csv:${scratch.write("bad.csv", content)}`, HALF_HOURS), code, facts));
  }

  it("takes the least and the greatest number of 64 bits", async () => {
    const rows = "2013-04-01T00:00Z,-9223372036854775808\n2013-04-01T00:30Z,9223372036854775807\n";
    const policy = await parsePolicy(`csv:${scratch.write("p.csv", HEADER + rows)}`, HALF_HOURS);
    expect([policy.price(1, at(0), 0n), policy.price(1, at(1), 0n)]).to.deep.equal([-(2n ** 63n), 2n ** 63n - 1n]);
  });

  it("has quarters where the periods are", async () => {
    const path = scratch.write("q.csv", `${HEADER}2013-04-01T00:15Z,1\n`);
    expect((await parsePolicy(`csv:${path}`, { periodSeconds: 900 })).price(1, at(1), 0n)).to.equal(1n);
  });
});
