import { expect } from "chai";
import { paramsDefaults, type Params } from "@veilgrid/protocol";
import { adaptedFactor, estimatedFactor } from "../../src/local/calibration.js";
import type { Overview } from "../../src/local/overview.js";

const OVERVIEW = { meters: 1000, das: ["A", "B", "C", "D"], periodSeconds: 1800 } as unknown as Overview;
// A period's block may be 1,500 s late and still come before the next one's: 1.5 periods less window and forwarding.
const PARAMS = { ...paramsDefaults, submissionWindow: 600, forwardSeconds: 600 } as Params;

describe("the pace of a time-lapse", () => {
  it("is slower with more meters, a slower machine, and a busier one", () => {
    const usual = estimatedFactor(OVERVIEW, 0.00005, 0);
    expect(usual).to.be.greaterThan(10).and.lessThan(301);
    expect(estimatedFactor({ ...OVERVIEW, meters: 10_000 }, 0.00005, 0)).to.be.lessThan(usual);
    expect(estimatedFactor(OVERVIEW, 0.0005, 0)).to.be.lessThan(usual);
    expect(estimatedFactor(OVERVIEW, 0.00005, 3)).to.be.closeTo(usual / 4, 1);
  });

  it("is halved where readings are missing or blocks come after the next period's, and raised where all is idle", () => {
    expect(adaptedFactor(100, { latency: 0, missing: 1 }, PARAMS)).to.equal(50);
    expect(adaptedFactor(100, { latency: 1_500_001, missing: 0 }, PARAMS)).to.equal(50);
    expect(adaptedFactor(100, { latency: 400_000, missing: 0 }, PARAMS)).to.equal(100);
    expect(adaptedFactor(100, { latency: 10_000, missing: 0 }, PARAMS)).to.equal(150);
  });
});
