import { expect } from "chai";
import { PLANTED } from "../../src/simulation/bugs/bugs.js";
import { scenarioOf, withSettings } from "../../src/simulation/scenario.js";
import { shrink } from "../../src/simulation/shrink.js";
import { simulate, type Outcome, type SimulateOptions } from "../../src/simulation/simulate.js";
import type { PlantedBug } from "../../src/simulation/bugs/bugs.js";

/** The first run that violates what the bug violates. */
async function found(
  { within, settings, invariant }: PlantedBug,
  options: SimulateOptions,
): Promise<Outcome | undefined> {
  for (let seed = 1; seed <= within; seed += 1) {
    const outcome = await simulate(withSettings(scenarioOf(seed), settings), options);
    if (outcome.violations.some((violation) => violation.invariant === invariant)) return outcome;
  }
  return undefined;
}

describe("a bug that is planted", function () {
  this.timeout(120_000);

  for (const [name, bug] of Object.entries(PLANTED)) {
    it(`is found within ${bug.within} seed${bug.within === 1 ? "" : "s"}: ${name}`, async () => {
      expect(await found(bug, { plan: bug.plan })).not.to.equal(undefined);
    });
  }

  it("is found in a run made smaller, too", async () => {
    const bug = PLANTED["a vote that is not persisted"] as PlantedBug;
    const outcome = (await found(bug, { plan: bug.plan })) as Outcome;
    const small = await shrink(outcome, { plan: bug.plan });
    expect(small.violations[0]?.invariant).to.equal(bug.invariant);
    const { das, meters, regions, periods, loss, deaths } = small.scenario;
    expect([das, meters, regions, periods, loss, deaths]).to.deep.equal([4, 6, 1, 1, 0, 0]);
  });
});
