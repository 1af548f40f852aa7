import { expect } from "chai";
import { aggregators, endorsementPolicy, organisations, peerOrganisations } from "../src/consortium.js";
import { failure } from "./failure.js";

describe("the consortium", () => {
  it("has four to ten data aggregators", async () => {
    expect(aggregators(10)).to.have.length(10);
    for (const size of [0, 3, 11, 4.5, NaN]) {
      expect((await failure(() => aggregators(size))).code, String(size)).to.equal("out-of-range");
    }
  });

  it("gives every aggregator a peer and an orderer of different MSPs, KGCBP a peer, CC none", () => {
    expect(aggregators(4).map(({ msp, orderer }) => [msp, orderer.msp])[3]).to.deep.equal(["DA3MSP", "DA3OrdererMSP"]);
    expect(peerOrganisations(aggregators(4)).map(({ name }) => name)).to.deep.equal([
      "da0",
      "da1",
      "da2",
      "da3",
      "kgcbp",
    ]);
    expect(
      organisations(aggregators(4))
        .map(({ msp }) => msp)
        .slice(4),
    ).to.deep.equal(["CCMSP", "KGCBPMSP"]);
  });

  it("endorses by Q of W, without CC and KGCBP", () => {
    expect(endorsementPolicy(aggregators(4))).to.equal(
      "OutOf(3,'DA0MSP.peer','DA1MSP.peer','DA2MSP.peer','DA3MSP.peer')",
    );
    expect(endorsementPolicy(aggregators(7))).to.match(/^OutOf\(5,/);
    expect(endorsementPolicy(aggregators(10))).to.match(/^OutOf\(7,/);
  });
});
