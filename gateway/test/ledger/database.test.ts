import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ClassicLevel } from "classic-level";
import { toHex, utf8 } from "@veilgrid/protocol";
import { Committer } from "../../src/ledger/committer.js";
import type { Endorsed } from "../../src/ledger/committer.js";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { Orderer } from "../../src/ledger/orderer.js";
import { StateDatabase } from "../../src/ledger/state.js";
import { Notes } from "./contract.js";
import { all, failure, notes } from "./conformance.js";
import { Folders, openLedger, organisations } from "./world.js";

describe("the ledger's database", () => {
  const folders = new Folders();
  const endorsers = organisations([Notes]);

  after(() => {
    folders.remove();
  });

  async function run(ledger: EmbeddedLedger, keys: readonly string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const key of keys) ids.push((await ledger.as({ msp: "Org1" }).submit(notes("put", key, key))).txId);
    return ids;
  }

  it("has everything again when it is opened again", async () => {
    const path = folders.make();
    const first = await openLedger(path, { endorsers });
    await run(first, ["a", "b"]);
    const { tip } = first;
    const blocks = await all(first.blocks(0n));
    await first.close();
    const second = await openLedger(path, { endorsers });
    expect(await second.height()).to.equal(2n);
    expect(second.tip).to.deep.equal(tip);
    expect(await all(second.blocks(0n))).to.deep.equal(blocks);
    expect(await second.state.get("b")).to.deep.equal(utf8("b"));
    await run(second, ["c"]);
    expect(await second.height()).to.equal(3n);
    await second.close();
  });

  it("is the same to the byte after the same calls, opened again in between or not", async () => {
    const whole = await openLedger(folders.make(), { endorsers });
    const ids = await run(whole, ["a", "b", "c"]);
    const path = folders.make();
    const first = await openLedger(path, { endorsers });
    const again = await run(first, ["a"]);
    await first.close();
    const second = await openLedger(path, { endorsers });
    await second.as({ msp: "Org2" }).evaluate(notes("get", "a"));
    again.push(...(await run(second, ["b", "c"])));
    expect(again).to.deep.equal(ids);
    expect(toHex(second.tip)).to.equal(toHex(whole.tip));
    await Promise.all([whole.close(), second.close()]);
  });

  it("takes transaction ids from the nonces that it is given", async () => {
    const nonces = [Uint8Array.of(1), Uint8Array.of(2)];
    const ledgers = await Promise.all(
      nonces.map((nonce) => openLedger(folders.make(), { endorsers }, { nonce: () => nonce })),
    );
    const ids = await Promise.all(ledgers.map((ledger) => run(ledger, ["a"])));
    expect(ids[0]).not.to.deep.equal(ids[1]);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  });

  it("belongs to one at a time", async () => {
    const path = folders.make();
    const ledger = await openLedger(path, { endorsers });
    const error = await failure(openLedger(path, { endorsers }));
    expect(error.code).to.equal("ledger-in-use");
    await ledger.close();
    await (await openLedger(path, { endorsers })).close();
  });

  it("is refused when its last block is not what its tip says", async () => {
    const path = folders.make();
    const ledger = await openLedger(path, { endorsers });
    await run(ledger, ["a"]);
    await ledger.close();
    const tamper = async (change: (db: ClassicLevel<string, Buffer>) => Promise<void>): Promise<string> => {
      const db = new ClassicLevel<string, Buffer>(path, { valueEncoding: "buffer" });
      await change(db);
      await db.close();
      const error = await failure(openLedger(path, { endorsers }));
      expect(error.code).to.equal("ledger-damaged");
      return String(error.facts.why);
    };
    const key = "b0000000000000000";
    expect(await tamper((db) => db.put(key, Buffer.alloc(200)))).to.equal("its last block is another than its tip");
    expect(await tamper((db) => db.del(key))).to.equal("its last block is missing");
  });

  it("is refused when its files are not a database's", async () => {
    const path = folders.make();
    await (await openLedger(path, { endorsers })).close();
    writeFileSync(join(path, "CURRENT"), "nonsense");
    const error = await failure(openLedger(path, { endorsers }));
    expect(error.code).to.equal("ledger-damaged");
    expect(error.facts.why).to.equal("it cannot be opened");
  });

  it("takes nothing more after a block that could not be written", async () => {
    const state = await StateDatabase.open(folders.make());
    const orderer = new Orderer(new Committer(state));
    const endorsed: Endorsed = {
      transaction: { txId: "1", caller: "Org1", call: { name: "f", args: [] } },
      rwset: { reads: [], ranges: [], writes: [] },
      result: new Uint8Array(),
      height: 0n,
    };
    expect(await orderer.order(endorsed)).to.deep.equal({ blockNumber: 0n, validation: "VALID" });
    await state.close();
    for (const order of [orderer.order(endorsed), orderer.order(endorsed), orderer.order(endorsed)]) {
      const error = await failure(order);
      expect(error.code).to.equal("ledger-unavailable");
      expect(error.facts.why).to.equal("a block could not be written");
    }
    expect((await failure(orderer.order(endorsed))).code).to.equal("ledger-unavailable");
  });
});
