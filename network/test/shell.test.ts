import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { StateFolder } from "../src/folder.js";
import { shellEnvironment } from "../src/shell.js";
import { Site } from "../src/site.js";
import { failure } from "./failure.js";

// Paths as people have them: with a blank and a quote.
const ROOT = "/nowhere/it's here";
const BINARIES = "/nowhere/fabric's commands";

describe("a shell's environment for Fabric's command line", () => {
  const site = new Site(new StateFolder(ROOT), { size: 4, basePort: 21_000, binaries: BINARIES });

  /** What bash has after it was told who it is: some variables, and an array's words, one a line. */
  async function told(organisation: string, words: string): Promise<string[]> {
    const script = `${await shellEnvironment(site, organisation)}\nprintf '%s\\n' ${words}`;
    return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trimEnd().split("\n");
  }

  it("makes `peer` an organisation's administrator, at its own peer", async () => {
    const [msp, address, path, folder] = await told(
      "da2",
      '"$CORE_PEER_LOCALMSPID" "$CORE_PEER_ADDRESS" "${PATH%%:*}" "$CORE_PEER_MSPCONFIGPATH"',
    );
    expect([msp, address, path]).to.deep.equal(["DA2MSP", "127.0.0.1:21023", BINARIES]);
    expect(folder?.startsWith(join(ROOT, "crypto", "peerOrganizations", "da2.veilgrid.example"))).to.equal(true);
  });

  it("names the orderer, and all endorsers, the own one first", async () => {
    const orderer = await told("da2", '"${ORDERER[@]}"');
    expect(orderer.slice(0, 4)).to.deep.equal(["-o", "127.0.0.1:21000", "--tls", "--cafile"]);
    expect(orderer[4]?.startsWith(ROOT)).to.equal(true);
    const endorsers = await told("da2", '"${ENDORSERS[@]}"');
    expect(endorsers.filter((_, i) => i % 4 === 1)).to.deep.equal([
      "127.0.0.1:21023",
      "127.0.0.1:21003",
      "127.0.0.1:21013",
      "127.0.0.1:21033",
    ]);
  });

  it("has CC ask an aggregator's peer, and KGCBP its own, which does not endorse", async () => {
    const who = '"$CORE_PEER_LOCALMSPID" "$CORE_PEER_ADDRESS" "${#ENDORSERS[@]}" "${ENDORSERS[1]}"';
    expect(await told("cc", who)).to.deep.equal(["CCMSP", "127.0.0.1:21003", "16", "127.0.0.1:21003"]);
    expect(await told("kgcbp", who)).to.deep.equal(["KGCBPMSP", "127.0.0.1:21043", "16", "127.0.0.1:21003"]);
  });

  it("knows its organisations", async () => {
    expect((await failure(() => shellEnvironment(site, "da4"))).code).to.equal("no-such-organisation");
  });
});
