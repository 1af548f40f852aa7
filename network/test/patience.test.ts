import { expect } from "chai";
import { endorsementSeconds, regionMeters } from "../src/patience.js";
import type { NetworkRecord } from "../src/record.js";

describe("the patience of gateways", () => {
  it("is three times what verifying four signatures for each meter of a region takes, and at least 5 s", () => {
    expect([5, 1000, 1041, 1042, 2500, 5000].map(endorsementSeconds)).to.deep.equal([5, 5, 5, 6, 12, 24]);
  });

  it("is for the default region unless a larger one was deployed", () => {
    const { aggregators, numbers } = { aggregators: ["da0", "da1", "da2", "da3"], numbers: 4 };
    const network = { version: 1, size: 4, aggregators, numbers, basePort: 17_050, binaries: "bin" } as const;
    const record: NetworkRecord = { ...network, deployments: [] };
    expect(regionMeters(record)).to.equal(1000);
    expect(regionMeters({ ...record, maxRegionMeters: 400 })).to.equal(1000);
    expect(regionMeters({ ...record, maxRegionMeters: 5000 })).to.equal(5000);
  });
});
