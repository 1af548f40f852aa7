import { expect } from "chai";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { aggregators, peerOrganisations } from "../src/consortium.js";
import { HOST, isFree, portsOf, requireFree } from "../src/ports.js";
import { failure } from "./failure.js";

describe("the ports", () => {
  it("are all different, even of the largest network", () => {
    const ports = peerOrganisations(aggregators(10)).map((organisation) => portsOf(17_050, 10, organisation));
    const all = ports.flatMap((each) => Object.values(each).flat() as number[]);
    expect(all).to.have.length(88);
    expect(new Set(all).size).to.equal(88);
    expect(Math.min(...all)).to.equal(17_050);
    expect(Math.max(...all)).to.equal(17_157);
  });

  it("are looked at, and those in use are named with what they were for", async () => {
    const server = createServer().listen(0, HOST);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      expect(await isFree(port)).to.equal(false);
      const error = await failure(() => requireFree([{ port, process: "peer.da2" }]));
      expect(error.code).to.equal("port-in-use");
      expect(error.message).to.include(`${port} (peer.da2)`);
    } finally {
      server.close();
      await once(server, "close");
    }
    expect(await isFree(port)).to.equal(true);
    await requireFree([{ port, process: "peer.da2" }]);
  });
});
