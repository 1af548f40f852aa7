import { expect } from "chai";
import { utf8 } from "@veilgrid/protocol";
import { callDigest, Journal, type Pending } from "../../src/fabric/journal.js";
import { MemoryStore } from "../../src/store/memory.js";
import { failure } from "../ledger/conformance.js";
import { FakeChannel } from "./fakes.js";
import { txId } from "./forge.js";

function pending(id: number, call = "ab"): Pending {
  return { txId: txId(id), msp: "CCMSP", call, bytes: Uint8Array.of(id, 1, 2) };
}

describe("the journal of transactions under way", () => {
  let store: MemoryStore;

  beforeEach(() => {
    store = new MemoryStore();
  });

  it("gives a later process what an earlier one did not finish, as it was", async () => {
    const journal = await Journal.open(store);
    for (const id of [1, 2, 3]) await journal.add(pending(id));
    await journal.close(pending(2));
    const later = await Journal.open(store);
    expect(later.takeAll()).to.deep.equal([pending(1), pending(3)]);
    expect(later.takeAll()).to.deep.equal([]);
  });

  it("gives a transaction to one owner at a time, and none that has one", async () => {
    const journal = await Journal.open(store);
    await journal.add(pending(1));
    expect(journal.take("ab")).to.equal(undefined);
    journal.leave(pending(1));
    expect(journal.take("other")).to.equal(undefined);
    expect(journal.take("ab")).to.deep.equal(pending(1));
    expect(journal.take("ab")).to.equal(undefined);
    await journal.close(pending(1));
    journal.leave(pending(1));
    expect(journal.take("ab")).to.equal(undefined);
  });

  it("refuses what something else wrote", async () => {
    await store.write([{ key: "pending/x", value: Uint8Array.of(1, 2) }]);
    expect((await failure(Journal.open(store))).code).to.equal("malformed");
  });

  it("tells calls apart by caller, function, each argument and each transient value", () => {
    const call = { name: "f", args: ["a", "b"], transient: { x: utf8("1"), y: utf8("2") } };
    const digests = [
      callDigest("CCMSP", call),
      callDigest("DA0MSP", call),
      callDigest("CCMSP", { ...call, name: "g" }),
      callDigest("CCMSP", { ...call, args: ["ab"] }),
      callDigest("CCMSP", { ...call, args: ["a", "b", ""] }),
      callDigest("CCMSP", { ...call, transient: { x: utf8("1"), y: utf8("3") } }),
      callDigest("CCMSP", { ...call, transient: { x: utf8("2"), y: utf8("1") } }),
      callDigest("CCMSP", { name: "f", args: ["a", "b"] }),
    ];
    expect(new Set(digests).size).to.equal(digests.length);
    expect(callDigest("CCMSP", { ...call, transient: { y: utf8("2"), x: utf8("1") } })).to.equal(digests[0]);
  });

  it("holds of a call nothing but its digest, beside the signed transaction", async () => {
    const channel = new FakeChannel();
    const { client } = await channel.client("CCMSP");
    channel.verdicts.push(...new Array<string>(1000).fill("lost"));
    await failure(client.submit({ name: "f", args: ["argument"], transient: { block: utf8("transient") } }));
    const [entry] = await channel.store.range("");
    const written = Buffer.from(entry?.value ?? []).toString("latin1");
    expect(written).to.include("CCMSP").and.not.include("argument").and.not.include("transient");
  });

  it("has a new process settle what a dead one left: there already, or sent now, once", async () => {
    for (const isOrdered of [true, false]) {
      const channel = new FakeChannel();
      const { client: dead } = await channel.client("CCMSP");
      const gateway = channel.at("DA0MSP");
      // The process dies before, or as soon as, the orderers have the transaction: it never hears of it.
      await new Promise<void>((resolve) => {
        gateway.order = (transaction) => {
          if (isOrdered) channel.order(transaction);
          resolve();
          return new Promise(() => undefined);
        };
        void dead.submit({ name: "f", args: [] });
      });
      Reflect.deleteProperty(gateway, "order");
      const { client, journal } = await channel.client("CCMSP");
      const [left] = journal.takeAll();
      const outcome = await client.takeUp(left as Pending);
      expect(outcome).to.deep.equal({ blockNumber: 0n, validation: "VALID" });
      expect(channel.sent, isOrdered ? "ordered before" : "ordered now").to.have.length(1);
      expect(await channel.store.range("")).to.deep.equal([]);
    }
  });
});
