import { expect } from "chai";
import { channelConfig, SMART_BFT } from "../src/channel.js";
import { aggregators, organisations } from "../src/consortium.js";
import { StateFolder } from "../src/folder.js";
import { cryptoConfig } from "../src/identities.js";
import { Site } from "../src/site.js";

describe("the channel", () => {
  const site = new Site(new StateFolder("state"), { size: 7, basePort: 20_000, binaries: "bin" });
  const config = channelConfig(site, site.founders);

  it("is ordered by one orderer of each aggregator", () => {
    expect(config.match(/^ {8}- ID: \d+$/gm)).to.have.length(7);
    expect(config).to.include(
      "- ID: 7\n          Host: 127.0.0.1\n          Port: 20060\n          MSPID: DA6OrdererMSP",
    );
  });

  it("takes Q of the aggregators for an endorsement and for another chaincode", () => {
    const rule = `Rule: "OutOf(5,'DA0MSP.peer','DA1MSP.peer','DA2MSP.peer','DA3MSP.peer','DA4MSP.peer','DA5MSP.peer','DA6MSP.peer')"`;
    expect(config).to.include(`LifecycleEndorsement: {Type: Signature, ${rule}}`);
    expect(config.split(rule)).to.have.length(3);
  });

  it("has CC and KGCBP as members, KGCBP with an anchor peer", () => {
    expect(config).to.include("*DA6MSP, *CCMSP, *KGCBPMSP]");
    expect(config).to.include("AnchorPeers: [{Host: 127.0.0.1, Port: 20073}]");
    expect(config.match(/AnchorPeers/g)).to.have.length(8);
  });

  it("keeps SmartBFT's times in the order that it demands, and fails over within 16 s", () => {
    const seconds = (text: string): number => Number.parseFloat(text);
    const { RequestForwardTimeout: forward, RequestComplainTimeout: complain } = SMART_BFT;
    expect(seconds(forward) + seconds(complain) + 5).to.be.at.most(16);
    expect(seconds(forward)).to.be.at.most(seconds(complain));
    expect(seconds(complain)).to.be.at.most(seconds(SMART_BFT.RequestAutoRemoveTimeout));
    expect(seconds(SMART_BFT.ViewChangeResendInterval)).to.be.at.most(seconds(SMART_BFT.ViewChangeTimeout));
  });

  it("has certificates that are good for this machine's addresses", () => {
    const lines = cryptoConfig(organisations(aggregators(4))).split("\n");
    expect(lines.filter((line) => line.includes("Hostname: orderer, SANS: [127.0.0.1, localhost]"))).to.have.length(4);
    expect(lines.filter((line) => line.includes("Hostname: peer0, SANS: [127.0.0.1, localhost]"))).to.have.length(5);
    expect(lines.find((line) => line.includes("cc.veilgrid"))).to.include("Specs: []");
  });
});
