import { expect } from "chai";
import type { RunArguments } from "@veilgrid/gateway";
import { expectedOf } from "../src/world/expected.js";
import { honestRun, SMALL, SMALL_TERMS } from "../src/world/honest.js";
import { beginRun, finish } from "../src/world/small-run.js";
import { columns } from "../src/world/tables.js";

const MODES = [
  { completeness: "set", release: "upfront" },
  { completeness: "sum", release: "after-commit" },
  { completeness: "sum", release: "upfront" },
] as const satisfies readonly Partial<RunArguments>[];

describe("the modes of completeness and release", () => {
  // The honest run is the fourth combination: set and after-commit.
  for (const mode of MODES) {
    it(`come to the same bills with ${mode.completeness} and ${mode.release}`, async () => {
      const [run, honest] = [await finish(await beginRun(SMALL, mode)), await honestRun()];
      expect(run.billsText).to.equal(honest.billsText);
      expect(run.periodsText).to.equal(honest.periodsText);
      expect(run.audit.findings).to.deep.equal([]);
      // Upfront the epochs have the masks already.
      expect(run.audit.kinds.masks).to.equal(mode.release === "upfront" ? undefined : honest.audit.kinds.masks);
    });
  }

  it("come to the same bills with a meter that misses a period, upfront by a correction", async () => {
    const gap = SMALL.with((text, household, n) => (household === 2 && n === 4 ? "" : text));
    const expected = expectedOf(gap, SMALL_TERMS);
    for (const completeness of ["set", "sum"] as const) {
      const run = await finish(await beginRun(gap, { completeness, release: "upfront" }));
      expect(columns(run.periods, Object.keys(expected.periods[0] ?? {}))).to.deep.equal(expected.periods);
      expect(columns(run.bills, Object.keys(expected.bills[0] ?? {}))).to.deep.equal(expected.bills);
      expect(run.audit.kinds.masks).to.equal(1);
      expect(
        run.headers.filter(({ aggFault }) => aggFault).map(({ region, period }) => [region, period.k]),
      ).to.deep.equal([[1, 7 * 48 + 4]]);
    }
  });
});
