import { expect } from "chai";
import { monthsPlan } from "../src/months/plan.js";
import { ThreeMonths } from "../src/months/three-months.js";
import { beginRun } from "../src/world/small-run.js";

describe("three months, with new keys, one more aggregator, and the first one closed and erased", function () {
  this.timeout(300_000);

  it("keep bills, audit and receipts consistent all through", async () => {
    // April's last two hours; then from an hour before midnight to an hour after: two epochs, which the changes come before.
    const plan = monthsPlan({ homes: 6, k: [1436, 46, 46], periods: 4, changeAfter: 0 });
    const run = await beginRun(plan.csv, { regions: 1 });
    await new ThreeMonths(run, plan, (what, holds, figure) => {
      expect(holds, `${what}: ${figure}`).to.equal(true);
    }).live();
  });
});
