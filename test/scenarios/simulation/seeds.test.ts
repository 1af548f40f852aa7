import { expect } from "chai";
import { CALM, scenarioOf, withSettings } from "../../src/simulation/scenario.js";
import { simulate } from "../../src/simulation/simulate.js";

/** In CI; `npm run test:full -- --only simulation` runs 2,000. */
const SEEDS = 100;

describe("the roles on virtual time, with everything interleaved", function () {
  this.timeout(600_000);

  it(`violate no invariant in ${SEEDS} seeds, about a third of them with hostile aggregators`, async () => {
    let hostile = 0;
    let receipts = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { violations, scenario, receipts: given } = await simulate(scenarioOf(seed));
      expect(violations, `npm run simulate -- --seed ${seed}`).to.deep.equal([]);
      hostile += Number(scenario.hostile > 0);
      receipts += given;
    }
    expect(hostile).to.be.within(SEEDS / 4, SEEDS / 2);
    expect(receipts).to.be.greaterThan(20 * SEEDS);
  });

  it("give every meter two receipts where nothing goes wrong", async () => {
    const outcome = await simulate({ ...CALM, seed: 1, meters: 12, periods: 2, das: 7 });
    expect([outcome.violations, outcome.receipts]).to.deep.equal([[], 48]);
  });

  for (const [what, settings] of [
    ["with everything at once", { hostile: 1, loss: 100, twice: 50, kills: 4, deaths: 4, partitions: 1, faulty: 2 }],
    ["on the embedded ledger", { embedded: 1, periods: 1, kills: 2 }],
    ["with bills", { billed: 1, periods: 1 }],
  ] as const) {
    it(`go through the same moments each time: ${what}`, async () => {
      const scenario = withSettings(scenarioOf(3), settings);
      const [first, second] = [await simulate(scenario), await simulate(scenario)];
      expect(first).to.deep.equal(second);
      const other = await simulate(withSettings(scenarioOf(4), settings));
      expect(other.digest).not.to.equal(first.digest);
    });
  }
});
