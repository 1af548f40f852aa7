import { consortiumId, paramsCodec, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NETWORK_MEMBERS } from "../src/examples/members.js";
import { writeExamples } from "../src/examples/write.js";
import { temporaryFolder } from "./temporary.js";

/** Linux's limit for one argument is 128 KiB, and --transient has the bytes in base64, and that in JSON. */
const ARGUMENT = 96 * 1024;

describe("the examples for Fabric's command line", () => {
  const root = temporaryFolder();
  const at = (...path: string[]): Buffer => readFileSync(join(root, ...path));

  it("are a month of five meters that the ledger's rules take, in the order of their submission", async () => {
    expect(await writeExamples(join(root, "one"), NETWORK_MEMBERS)).to.deep.equal([
      "params.bin",
      "election.cert",
      ...["epoch.block", "epoch.cert", "readings.block", "readings.cert", "masks.block", "masks.cert"],
      ...["prices.block", "prices.cert", "bills.block", "bills.cert"],
    ]);
    expect(toHex(consortiumId(at("one", "params.bin")))).to.equal(
      "78e087232a988e0130330749ceab388a6c8ad5ac0627d0876ae184f2b230b4e1",
    );
  });

  it("are the same each time, and small", async () => {
    await writeExamples(join(root, "two"), NETWORK_MEMBERS);
    const digest = createHash("sha256");
    for (const name of readdirSync(join(root, "one")).sort()) {
      expect(at("two", name), name).to.deep.equal(at("one", name));
      expect(at("one", name).length, name).to.be.below(ARGUMENT / 2);
      digest.update(at("one", name));
    }
    expect(digest.digest("hex")).to.equal("177f2fc7ca97bf3260d21fcd43819aa1caf1a9eff553663b1029fbe0cc4bbca2");
  });

  it("are for the organisations and the channel that they are asked for", async () => {
    // Those of fabric-samples' test-network, as docs/test-network.md has them.
    const members = { channel: "mychannel", da: ["Org1MSP", "Org2MSP"], cc: "Org1MSP", kgcbp: "Org2MSP" };
    await writeExamples(join(root, "two organisations"), members);
    const { channel, da, cc, kgcbp } = paramsCodec.decode(at("two organisations", "params.bin"));
    expect({ channel, da: da.map(({ msp }) => msp), cc: cc.msp, kgcbp: kgcbp.msp }).to.deep.equal(members);
  });
});
