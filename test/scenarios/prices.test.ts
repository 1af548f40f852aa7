import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { expectedOf, type PricedPeriod } from "../src/world/expected.js";
import { SMALL, SMALL_TERMS } from "../src/world/honest.js";
import { scratchFolder } from "../src/world/scratch.js";
import { beginRun, finish } from "../src/world/small-run.js";
import { columns, type Row } from "../src/world/tables.js";

/** Runs under a price policy; sums, prices and bills must be those of `price`. */
async function underPrices(policy: string, price: (place: PricedPeriod) => bigint): Promise<readonly Row[]> {
  const run = await finish(await beginRun(SMALL, { price: policy }));
  const expected = expectedOf(SMALL, { ...SMALL_TERMS, price });
  expect(columns(run.periods, Object.keys(expected.periods[0] ?? {}))).to.deep.equal(expected.periods);
  expect(columns(run.bills, Object.keys(expected.bills[0] ?? {}))).to.deep.equal(expected.bills);
  expect(run.bills.filter(({ verified }) => verified !== "true")).to.deep.equal([]);
  expect(run.audit.findings).to.deep.equal([]);
  return run.bills;
}

describe("price policies", () => {
  it("take prices from a file, negative and zero ones too", async () => {
    const prices = SMALL.starts.map((_, n) => [-46_870, 0, 810_100, 159_325][n % 4] as number);
    const lines = prices.map((price, n) => `${new Date(SMALL.starts[n] as number).toISOString()},${price}\n`);
    const file = join(scratchFolder("prices"), "prices.csv");
    writeFileSync(file, `period_start,price_micro_per_kwh\n${lines.join("")}`);
    await underPrices(`csv:${file}`, ({ n }) => BigInt(prices[n] as number));
  });

  it("follow the region's demand, which only its released sum tells", async () => {
    // Micro-units: 100,000 and 30,001 more for each kWh, a half of one being rounded up.
    const bills = await underPrices(
      "linear:100000,30001",
      ({ wh }) => 100_000n + ((wh as bigint) * 30_001n + 500n) / 1000n,
    );
    expect(new Set(bills.map(({ energy_cost_nano }) => energy_cost_nano)).size).to.equal(12);
  });

  it("follow the time of day", async () => {
    // From 02:00 to 05:00 it is night.
    await underPrices("tou:00-02=300000,02-05=80000,05-24=250001", ({ n }) =>
      n < 4 ? 300_000n : n < 10 ? 80_000n : 250_001n,
    );
  });
});
