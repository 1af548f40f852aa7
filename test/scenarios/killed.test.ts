import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SeededRandom } from "@veilgrid/gateway";
import { veilgrid, type Ended, type Moment } from "../src/world/demo-process.js";
import { honestRun, SMALL } from "../src/world/honest.js";
import { scratchFolder } from "../src/world/scratch.js";
import type { Finished } from "../src/world/small-run.js";

const random = SeededRandom.of("moments of death");

/** Random moments in the parts of a run, each after what is said as it begins and up to `spanMs` later. */
function moments(said: RegExp, spanMs: number, count: number): Moment[] {
  return Array.from({ length: count }, (_, i) => ({ said, afterMs: random.below(spanMs, said.source, i) }));
}

/** While it starts, while periods come, while bills are issued, and while they are verified; `npm run test:full` has ten. */
const MOMENTS: readonly Moment[] = [
  ...moments(/aggregators; Schnorr engine/, 400, 1),
  ...moments(/periods on the ledger/, 100, 2),
  ...moments(/24\/24|bills/, 120, 1),
  ...moments(/bills/, 10, 1),
];

describe("the demo, killed at random moments", () => {
  it("goes on when it is called again, and ends with the same bills", async function () {
    this.timeout(120_000);
    const folder = scratchFolder("killed");
    const out = join(folder, "out");
    const input = SMALL.write(join(folder, "input.csv"));
    const asked = ["--readings", input, "--regions", "2", "--min-meters", "5", "--seed", "7", "--out", out];
    const died: Ended[] = [];
    for (const moment of MOMENTS) died.push(await veilgrid(["demo", ...asked], { death: moment }));
    expect(died.map(({ signal, stderr }) => signal ?? stderr)).to.deep.equal(MOMENTS.map(() => "SIGKILL"));

    const { code, stderr } = await veilgrid(["demo", ...asked]);
    expect(code, stderr).to.equal(0);
    expect(stderr).to.contain("nothing is wrong");
    const honest: Finished = await honestRun();
    expect(readFileSync(join(out, "bills.csv"), "utf8")).to.equal(honest.billsText);
    expect(readFileSync(join(out, "periods.csv"), "utf8")).to.equal(honest.periodsText);
  });
});
