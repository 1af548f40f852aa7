import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { toHex, type Facts } from "@veilgrid/protocol";
import { expect } from "chai";
import { Audit } from "../../src/audit/audit.js";
import { DEADLINES } from "../../src/fabric/deadlines.js";
import { Gateways } from "../../src/fabric/gateways.js";
import { FabricLedger } from "../../src/fabric/ledger.js";
import { peerStandings } from "../../src/fabric/peers.js";
import type { Profile } from "../../src/fabric/profile.js";
import { Replica } from "../../src/fabric/replica.js";
import type { NamedSource } from "../../src/fabric/source.js";
import { exportLedger } from "../../src/ledger/export.js";
import { LedgerFile } from "../../src/ledger/ledgerfile.js";
import type { LedgerBlock } from "../../src/ports/ledger.js";
import type { Log } from "../../src/ports/log.js";
import { LevelStore, openDatabase } from "../../src/store/level.js";
import { MemoryStore } from "../../src/store/memory.js";
import { TestNetwork } from "./network.js";

const FOLLOWER = fileURLToPath(new URL("follower.js", import.meta.url));
const VEILGRID = fileURLToPath(new URL("../../../bin/veilgrid.js", import.meta.url));

/** All that a replica has: its events, its state, and what it stands for. */
async function contentOf(replica: Replica, store: LevelStore): Promise<object> {
  const events: string[] = [];
  for await (const { blockNumber, txId, name, payload } of replica.events(0n)) {
    events.push(`${blockNumber}:${txId}:${name}:${toHex(payload)}`);
  }
  const state = (await store.range("state/")).map(({ key, value }) => `${key}=${toHex(value)}`);
  return { events, state, tip: toHex(replica.tip), commitHash: toHex(replica.commitHash ?? new Uint8Array()) };
}

describe("a replica of a real Fabric channel", () => {
  let network: TestNetwork;
  let profile: Profile;
  let gateways: Gateways;
  let ledger: FabricLedger;
  /** Number of the last block that was submitted. */
  let last = 0n;

  before(async () => {
    network = await TestNetwork.start(18_850);
    profile = await network.profile();
    gateways = await Gateways.open(profile, DEADLINES);
    ledger = await FabricLedger.open({ profile, path: network.newFolder() });
  });

  after(async () => {
    await ledger.close();
    gateways.close();
    await network.stop();
  });

  async function submit(name: string, ...args: string[]): Promise<void> {
    last = (await ledger.as({ msp: "CCMSP" }).submit({ name, args })).blockNumber;
  }

  /** Opens a folder's replica, waits for the last block, and tells what is in it. */
  async function followed(folder: string, sources: readonly NamedSource[], log?: Log): Promise<object> {
    const database = await openDatabase(folder);
    const store = new LevelStore(database, "replica");
    const replica = await Replica.open({ store, sources, chaincode: profile.chaincode, ...(log && { log }) });
    try {
      await replica.reached(last);
      return await contentOf(replica, store);
    } finally {
      await replica.close();
      await database.close();
    }
  }

  it("is audited without a finding, blocks without transactions among them", async () => {
    await submit("setup");
    await submit("consortium");
    const audit = new Audit(new MemoryStore());
    for await (const block of ledger.blocks(0n)) await audit.add(block);
    expect(audit.report).to.deep.include({ blocks: Number(last) + 1, transactions: 2, findings: [] });
  });

  it("goes on without a gap or a repetition when its process is killed again and again", async () => {
    const folder = network.newFolder();
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, [FOLLOWER, network.profileFile, folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      await lines.next();
      const submitted = Promise.all(
        Array.from({ length: 6 }, (_, i) => submit("Notes:put", `key ${i}`, `${round}.${i}`)),
      );
      // It dies while blocks come in.
      await lines.next();
      child.kill("SIGKILL");
      await once(child, "exit");
      await submitted;
    }
    await submit("Notes:remove", "key 0");
    const killed = await followed(folder, gateways.sources());
    const fresh = await followed(network.newFolder(), gateways.sources());
    expect(killed).to.deep.equal(fresh);
    expect((killed as { events: string[] }).events).to.have.length(1 + 3 * 6);
  });

  it("is the same through every organisation's peer", async () => {
    const contents = [];
    for (const source of gateways.sources()) contents.push(await followed(network.newFolder(), [source]));
    expect(contents).to.have.length(5);
    for (const content of contents) expect(content).to.deep.equal(contents[0]);
    const { peers, agree } = await peerStandings(profile);
    expect(agree).to.equal(true);
    expect(peers.map(({ height, fault }) => [height, fault])).to.deep.equal(peers.map(() => [last + 1n, undefined]));
  });

  it("takes blocks from another peer while the preferred one is frozen, and says so", async () => {
    const said: string[] = [];
    const log: Log = (level, event, { source, code, next }: Facts = {}) => {
      said.push([level, event, source, code, next].join(" "));
    };
    const folder = network.newFolder();
    await followed(folder, gateways.sources());
    await network.processes("freeze", "peer.kgcbp");
    try {
      await submit("Notes:put", "frozen", "1");
      await followed(folder, gateways.sources(), log);
    } finally {
      await network.processes("thaw", "peer.kgcbp");
    }
    expect(said).to.deep.equal(["warn ledger-source-left KGCBPMSP ledger-stalled DA0MSP"]);
  });

  it("is exported to the same file twice, with the hash that peers tell, and the same blocks are read from it", async () => {
    const files = ["a.vgl", "b.vgl"].map((name) => join(network.folder, name)) as [string, string];
    const tips = [await exportLedger(ledger, files[0]), await exportLedger(ledger, files[1])];
    for (const tip of tips) expect(tip).to.deep.equal({ height: last + 1n, hash: ledger.tip });
    expect(readFileSync(files[0]).equals(readFileSync(files[1]))).to.equal(true);
    expect(await blocksOf(new LedgerFile(files[0]))).to.deep.equal(await blocksOf(ledger));
  });

  it("is compared by a command, which says that all peers have the same", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [VEILGRID, "ledger", "peers", "--profile", network.profileFile, "--json"],
      { encoding: "utf8" },
    );
    expect(status).to.equal(0);
    const report = JSON.parse(stdout) as { agree: boolean; height: string; peers: { msp: string }[] };
    expect(report).to.include({ agree: true, height: (last + 1n).toString() });
    expect(report.peers.map(({ msp }) => msp)).to.deep.equal(["KGCBPMSP", "DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP"]);
  });
});

async function blocksOf(from: { blocks(from: bigint): AsyncIterable<LedgerBlock> }): Promise<LedgerBlock[]> {
  const blocks: LedgerBlock[] = [];
  for await (const block of from.blocks(0n)) blocks.push(block);
  return blocks;
}
