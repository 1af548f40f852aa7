import { spawn } from "node:child_process";
import { once } from "node:events";
import { createHash, createPrivateKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Facts } from "@veilgrid/protocol";
import { expect } from "chai";
import type { Deadlines } from "../../src/fabric/deadlines.js";
import { FabricLedger } from "../../src/fabric/ledger.js";
import type { Profile, ProfileClient } from "../../src/fabric/profile.js";
import type { Log } from "../../src/ports/log.js";
import { failure, notes } from "../ledger/conformance.js";
import { expired, foreign } from "./certificates.js";
import { TestNetwork } from "./network.js";

const SUBMITTER = fileURLToPath(new URL("submitter.js", import.meta.url));

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

describe("a client of a real Fabric channel", () => {
  let network: TestNetwork;
  let profile: Profile;
  let cc: ProfileClient;
  const said: { event: string; facts: Facts }[] = [];
  const log: Log = (_, event, facts = {}) => said.push({ event, facts });

  before(async () => {
    network = await TestNetwork.start(18_450);
    profile = await network.profile();
    cc = profile.clients.find(({ msp }) => msp === "CCMSP") as ProfileClient;
  });

  beforeEach(() => said.splice(0));

  after(() => network.stop());

  function open(
    changed: Partial<Profile> = {},
    path = network.newFolder(),
    deadlines: Partial<Deadlines> = {},
  ): Promise<FabricLedger> {
    return FabricLedger.open({ profile: { ...profile, ...changed }, path, log, deadlines });
  }

  /** What the first use of a profile ends with. */
  async function refusal(changed: Partial<Profile>): Promise<{ code: string; facts: Facts }> {
    return failure(open(changed).then((ledger) => ledger.close()));
  }

  function clients(certificate: string): Partial<Profile> {
    const file = join(network.newFolder(), "certificate.pem");
    writeFileSync(file, certificate);
    return { clients: [{ ...cc, certificate: file }] };
  }

  function gateways(changed: Partial<Profile["gateways"][number]>): Partial<Profile> {
    return { gateways: profile.gateways.map((gateway) => ({ ...gateway, ...changed })) };
  }

  async function withLedger(use: (ledger: FabricLedger) => Promise<void>, path?: string): Promise<void> {
    const ledger = await open({}, path);
    try {
      await use(ledger);
    } finally {
      await ledger.close();
    }
  }

  describe("that is not who it says", () => {
    it("is refused with an expired certificate", async () => {
      const authority = createPrivateKey(readFileSync(network.crypto("cc.veilgrid.example", "ca", "priv_sk")));
      const error = await refusal(clients(expired(readFileSync(cc.certificate, "utf8"), authority)));
      expect(error.code).to.equal("access-refused");
      expect(error.facts.said).to.include("identity expired");
      expect(error.facts.caller).to.equal("CCMSP");
    });

    it("is refused with a certificate of a foreign authority", async () => {
      const error = await refusal(clients(foreign(readFileSync(cc.certificate, "utf8"))));
      expect(error.code).to.equal("access-refused");
    });

    it("is refused with another organisation's certificate, or another's key", async () => {
      const [da0] = profile.clients as [ProfileClient];
      for (const client of [
        { ...da0, msp: "CCMSP" },
        { ...da0, msp: "NobodyMSP" },
        { ...cc, key: da0.key },
      ]) {
        expect((await refusal({ clients: [client] })).code).to.equal("access-refused");
      }
    });

    it("is refused a transaction where its role may not write", async () => {
      const peer = network.crypto("da0.veilgrid.example", "peers", "peer0.da0.veilgrid.example", "msp");
      const client = {
        msp: "DA0MSP",
        certificate: join(peer, "signcerts", "peer0.da0.veilgrid.example-cert.pem"),
        key: join(peer, "keystore", "priv_sk"),
      };
      const ledger = await open({ clients: [client] });
      const error = await failure(ledger.as(client).submit(notes("put", "a", "1")));
      expect(error.code).to.equal("access-refused");
      expect(error.facts.phase).to.equal("endorse");
      await ledger.close();
    });
  });

  describe("whose peer is not who it should be", () => {
    it("does not speak to one without TLS", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      expect((await refusal(gateways({ address: `127.0.0.1:${port}` }))).code).to.equal("tls-refused");
      server.close();
    });

    it("does not speak to one with another name, or of another authority", async () => {
      expect((await refusal(gateways({ host: "peer0.da9.veilgrid.example" }))).code).to.equal("tls-refused");
      const tlsRoot = network.crypto("cc.veilgrid.example", "tlsca", "tlsca.cc.veilgrid.example-cert.pem");
      expect((await refusal(gateways({ tlsRoot }))).code).to.equal("tls-refused");
    });
  });

  describe("that is killed", () => {
    async function killed(path: string, key: string, when: "before" | "after"): Promise<void> {
      const file = join(network.newFolder(), "profile.json");
      writeFileSync(file, JSON.stringify(profile));
      const child = spawn(process.execPath, [SUBMITTER, file, path, key, when], { stdio: "inherit" });
      expect(await once(child, "exit")).to.deep.equal([null, "SIGKILL"]);
    }

    for (const when of ["before", "after"] as const) {
      it(`${when} the orderers have its transaction, finds it committed once when it is back`, async () => {
        const path = network.newFolder();
        await killed(path, `killed ${when}`, when);
        await withLedger(async (ledger) => {
          expect(said.map(({ event }) => event)).to.include("transaction-settled");
          expect(said.find(({ event }) => event === "transaction-settled")?.facts.validation).to.equal("VALID");
          expect(text((await ledger.state.get(`killed ${when}`)) as Uint8Array)).to.equal("1");
        }, path);
        // Its outcome is known: nothing is sent a third time.
        said.splice(0);
        await withLedger(async (ledger) => {
          expect(said).to.deep.equal([]);
          expect(text((await ledger.state.get(`killed ${when}`)) as Uint8Array)).to.equal("1");
        }, path);
      });
    }
  });

  it("follows on where the deadline of a stream of blocks ended it", async () => {
    const ledger = await open({}, network.newFolder(), { events: 200 });
    // Together they take longer than several streams last.
    for (let i = 0; i < 5; i += 1) await ledger.as(cc).submit(notes("increment", "short streams"));
    expect(text((await ledger.state.get("short streams")) as Uint8Array)).to.equal("5");
    await ledger.close();
    expect(said).to.deep.equal([]);
  });

  it("is refused a transaction larger than the channel takes", async () => {
    const ledger = await open();
    const bulk = new Uint8Array(9 * 2 ** 20);
    const sha256 = createHash("sha256").update(bulk).digest("hex");
    const error = await failure(ledger.as(cc).submit({ ...notes("bulk", "large", sha256), transient: { bulk } }));
    expect(error.code).to.equal("too-large");
    await ledger.close();
  });

  it("is told soon that nobody is there", async () => {
    const changed = { ...profile, ...gateways({ address: "127.0.0.1:9" }) };
    const opened = FabricLedger.open({ profile: changed, path: network.newFolder(), deadlines: { open: 500 } });
    const error = await failure(opened.then((ledger) => ledger.close()));
    expect(error.code).to.equal("ledger-unavailable");
    expect(error.facts).to.include({ phase: "look-up", gateway: "DA0MSP" });
    expect(error.facts.said).to.include("ECONNREFUSED");
  });

  describe("whose organisation fails", () => {
    function failed(): (string | number | boolean | undefined)[] {
      return said.filter(({ event }) => event === "gateway-failed").map(({ facts }) => facts.gateway);
    }

    it("goes on through another's gateway while its chaincode is frozen, and waits for it once", async () => {
      await withLedger(async (ledger) => {
        const da1 = ledger.as({ msp: "DA1MSP" });
        await network.processes("freeze", "chaincode.da1.v1");
        try {
          await da1.submit(notes("put", "frozen", "1"));
          await da1.submit(notes("put", "frozen", "2"));
          expect(text(await da1.evaluate(notes("get", "frozen")))).to.equal("2");
        } finally {
          await network.processes("thaw", "chaincode.da1.v1");
        }
        expect(failed()).to.deep.equal(["DA1MSP"]);
      });
    });

    it("goes on while its peer is frozen, and while it is dead", async () => {
      await withLedger(async (ledger) => {
        const da2 = ledger.as({ msp: "DA2MSP" });
        await network.processes("freeze", "peer.da2");
        try {
          await da2.submit(notes("put", "frozen peer", "1"));
        } finally {
          await network.processes("thaw", "peer.da2");
        }
        expect(failed()).to.include("DA2MSP");
      });
      await network.processes("kill", "peer.da2");
      await withLedger(async (ledger) => {
        const da2 = ledger.as({ msp: "DA2MSP" });
        await da2.submit(notes("put", "dead peer", "1"));
        expect(text(await da2.evaluate(notes("get", "dead peer")))).to.equal("1");
      });
      await network.processes("start", "peer.da2");
    });
  });

  describe("where one organisation's chaincode lies", () => {
    function differing(): (string | number | boolean | undefined)[] {
      return said.filter(({ event }) => event === "organisation-differs").map(({ facts }) => facts.organisations);
    }

    it("commits what the others agree on, and names the one that differs", async () => {
      await network.rewrite("da3", "+ 1", "+ 2");
      await withLedger(async (ledger) => {
        for (const [i, msp] of ["DA3MSP", "DA3MSP", "CCMSP"].entries()) {
          await ledger.as({ msp }).submit(notes("increment", "honest"));
          expect(text((await ledger.state.get("honest")) as Uint8Array)).to.equal((i + 1).toString());
        }
      });
      expect(new Set(differing())).to.deep.equal(new Set(["DA3MSP"]));
    });

    it("names it when it refuses what the others do, or does what they refuse", async () => {
      await network.rewrite(
        "da3",
        "async increment(ctx, key) {",
        "async increment() { throw refusal('sulking', 'no');",
      );
      await withLedger(async (ledger) => {
        await ledger.as({ msp: "DA3MSP" }).submit(notes("increment", "honest"));
      });
      expect(differing()).to.deep.equal(["DA3MSP"]);
      await network.rewrite("da3", "return Promise.reject(refusal(code, ", "return Promise.resolve(void (code, ");
      said.splice(0);
      await withLedger(async (ledger) => {
        const error = await failure(ledger.as({ msp: "DA3MSP" }).submit(notes("refuse", "too-late")));
        expect(error.code).to.equal("endorse-refused");
        expect(error.facts).to.deep.equal({ contract: "too-late", limit: 3, differs: "DA3MSP" });
      });
    });
  });
});
