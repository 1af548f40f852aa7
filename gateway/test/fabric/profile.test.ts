import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Gateways } from "../../src/fabric/gateways.js";
import { DEADLINES } from "../../src/fabric/deadlines.js";
import { readProfile } from "../../src/fabric/profile.js";
import { failure } from "../ledger/conformance.js";

const GATEWAY = { msp: "DA0MSP", address: "127.0.0.1:17053", host: "peer0.da0", tlsRoot: "tls/ca.crt", endorses: true };
const CLIENT = { msp: "CCMSP", certificate: "cc/cert.pem", key: "/elsewhere/key.pem" };
const PROFILE = { channel: "veilgrid", chaincode: "veilgrid", clients: [CLIENT], gateways: [GATEWAY] };

describe("a connection profile", () => {
  const folder = mkdtempSync(join(tmpdir(), "veilgrid-profile-"));
  const file = join(folder, "profile.json");

  after(() => {
    rmSync(folder, { recursive: true });
  });

  function write(content: unknown): void {
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  }

  it("has its paths taken from where it lies", async () => {
    write(PROFILE);
    const { clients, gateways, endorsementSeconds } = await readProfile(file);
    expect(clients).to.deep.equal([
      { msp: "CCMSP", certificate: join(folder, "cc/cert.pem"), key: "/elsewhere/key.pem" },
    ]);
    expect(endorsementSeconds).to.equal(5);
    expect(gateways).to.deep.equal([{ ...GATEWAY, tlsRoot: join(folder, "tls/ca.crt") }]);
  });

  it("is missed where it is not there", async () => {
    const error = await failure(readProfile(join(folder, "nothing.json")));
    expect(error.code).to.equal("no-profile");
    expect(error.message).to.equal(`${join(folder, "nothing.json")} cannot be read: a connection profile is due`);
  });

  for (const [why, content] of [
    ["it is not JSON", "{"],
    ["chaincode:", { ...PROFILE, chaincode: "" }],
    ["gateways.0.address: a host and a port are due", { ...PROFILE, gateways: [{ ...GATEWAY, address: "localhost" }] }],
    ["gateways: no gateway endorses", { ...PROFILE, gateways: [{ ...GATEWAY, endorses: false }] }],
    ["clients:", { ...PROFILE, clients: [] }],
  ] as const) {
    it(`is refused with what is wrong: ${why}`, async () => {
      write(content);
      const error = await failure(readProfile(file));
      expect(error.code).to.equal("bad-profile");
      expect(error.message).to.include(why);
    });
  }

  it("names files that can be read, for the organisation that calls", async () => {
    write(PROFILE);
    const error = await failure(Gateways.open(await readProfile(file), DEADLINES));
    expect(error.code).to.equal("bad-credentials");
    expect(error.facts).to.include({ msp: "CCMSP", key: "/elsewhere/key.pem" });
  });
});
