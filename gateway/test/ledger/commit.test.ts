import { expect } from "chai";
import fc from "fast-check";
import { utf8 } from "@veilgrid/protocol";
import type { Call, LedgerBlock, Write } from "../../src/ports/ledger.js";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { Notes } from "./contract.js";
import { all, failure, notes } from "./conformance.js";
import { Folders, openLedger, organisations } from "./world.js";

/** The state as the serial execution of valid transactions leaves it. */
type Model = Map<string, string>;

function tally(model: Model, start: string, end: string): string {
  return [...model.keys()].filter((key) => key >= start && key < end).length.toString();
}

/** What a Notes call writes when it runs alone on `model`. */
function writesOf(model: Model, { name, args }: Pick<Call, "name" | "args">): Write[] {
  const [first = "", second = "", third = ""] = args;
  const write = (key: string, value: string): Write[] => [{ key, value: utf8(value) }];
  if (name === "Notes:put") return write(first, second);
  if (name === "Notes:increment") return write(first, (Number(model.get(first) ?? "") + 1).toString());
  if (name === "Notes:tally") return write(third, tally(model, first, second));
  return [{ key: first, value: undefined }];
}

function applyWrites(model: Model, writes: readonly Write[]): void {
  for (const { key, value } of writes) {
    if (value === undefined) model.delete(key);
    else model.set(key, Buffer.from(value).toString());
  }
}

const key = fc.constantFrom("a", "b", "c", "d");
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(key, fc.constantFrom("1", "2")).map(([k, value]) => notes("put", k, value)),
  key.map((k) => notes("increment", k)),
  key.map((k) => notes("remove", k)),
  fc.tuple(key, key).map(([end, into]) => notes("tally", "a", end, into)),
);

function validations(blocks: readonly LedgerBlock[]): string[][] {
  return blocks.map(({ transactions }) => transactions.map(({ validation }) => validation));
}

describe("commit", () => {
  const folders = new Folders();
  let ledger: EmbeddedLedger;

  beforeEach(async () => {
    ledger = await openLedger(folders.make(), { endorsers: organisations([Notes]) });
  });

  afterEach(() => ledger.close());

  after(() => {
    folders.remove();
  });

  it("gives callers that wait for each other a block each", async () => {
    const client = ledger.as({ msp: "Org1" });
    for (const value of ["1", "2", "3"]) await client.submit(notes("put", "k", value));
    expect(validations(await all(ledger.blocks(0n)))).to.deep.equal([["VALID"], ["VALID"], ["VALID"]]);
  });

  it("puts what comes while a block is written into one block together", async () => {
    const client = ledger.as({ msp: "Org1" });
    const places = await Promise.all(Array.from({ length: 20 }, (_, i) => client.submit(notes("put", `k${i}`, "1"))));
    expect(new Set(places.map(({ blockNumber }) => blockNumber)).size).to.equal(Number(await ledger.height()));
    expect(await ledger.height()).to.equal(2n);
    expect((await all(ledger.blocks(1n)))[0]?.transactions).to.have.length(19);
  });

  it("cuts a block at a hundred transactions", async () => {
    const client = ledger.as({ msp: "Org1" });
    await Promise.all(Array.from({ length: 202 }, (_, i) => client.submit(notes("put", `k${i}`, "1"))));
    const sizes = (await all(ledger.blocks(0n))).map(({ transactions }) => transactions.length);
    expect(sizes).to.deep.equal([1, 100, 100, 1]);
  });

  it("keeps a transaction that read an older value in its block, without effect", async () => {
    const client = ledger.as({ msp: "Org1" });
    const [first, second, third] = await Promise.all([
      client.submit(notes("increment", "n")),
      failure(client.submit(notes("increment", "n"))),
      client.submit(notes("increment", "m")),
    ]);
    expect(first.blockNumber).to.equal(0n);
    expect(third.blockNumber).to.equal(1n);
    expect(second.facts.blockNumber).to.equal("1");
    expect(second.facts.validation).to.equal("MVCC_READ_CONFLICT");
    expect(second.blame).to.equal("nobody");
    const blocks = await all(ledger.blocks(0n));
    expect(validations(blocks)).to.deep.equal([["VALID"], ["MVCC_READ_CONFLICT", "VALID"]]);
    expect(blocks[1]?.transactions[0]?.txId).to.equal(second.facts.txId);
    expect(await ledger.state.get("n")).to.deep.equal(utf8("1"));
  });

  it("finds a conflict within one block too", async () => {
    const client = ledger.as({ msp: "Org1" });
    const outcomes = await Promise.allSettled(["x", "n", "n"].map((k) => client.submit(notes("increment", k))));
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "fulfilled", "rejected"]);
    expect(validations(await all(ledger.blocks(1n)))).to.deep.equal([["VALID", "MVCC_READ_CONFLICT"]]);
  });

  it("finds a key that came into a range, or left it, after the range was read", async () => {
    const client = ledger.as({ msp: "Org1" });
    await client.submit(notes("put", "r/1", "1"));
    for (const change of [notes("put", "r/2", "1"), notes("remove", "r/1"), notes("put", "r/2", "2")]) {
      const [, counted] = await Promise.all([
        client.submit(change),
        failure(client.submit(notes("tally", "r/", "r/~", "count"))),
      ]);
      expect(counted.code, change.args.join("=")).to.equal("mvcc-conflict");
      expect(counted.facts.validation).to.equal("PHANTOM_READ_CONFLICT");
    }
    await Promise.all([
      client.submit(notes("put", "s", "outside")),
      client.submit(notes("tally", "r/", "r/~", "count")),
    ]);
    expect(await ledger.state.get("count")).to.deep.equal(utf8("1"));
  });

  it("holds a transaction to all that it read of a long range, and to nothing beyond", async () => {
    const client = ledger.as({ msp: "Org1" });
    const keys = Array.from({ length: 250 }, (_, i) => `r/${i.toString().padStart(3, "0")}`);
    await Promise.all(keys.map((k) => client.submit(notes("put", k, "1"))));
    const outcome = async (changed: string, reading: Call): Promise<string> => {
      const [, read] = await Promise.allSettled([client.submit(notes("put", changed, "2")), client.submit(reading)]);
      return read.status;
    };
    // A peer hands out a range a hundred keys at a time: whoever leaves at the first key has read a hundred.
    const first = notes("list", "r/", "r/~", "1");
    const whole = notes("tally", "r/", "r/~", "count");
    expect(await outcome("elsewhere", whole)).to.equal("fulfilled");
    expect(await outcome("elsewhere", first)).to.equal("fulfilled");
    expect(await outcome("r/100", first)).to.equal("fulfilled");
    for (const changed of ["r/099", "r/000", "r/0"])
      expect(await outcome(changed, first), changed).to.equal("rejected");
    // The key that was new at the front has pushed this one out of the first hundred.
    expect(await outcome("r/099", first)).to.equal("fulfilled");
    for (const changed of ["r/000", "r/099", "r/100", "r/249", "r/2491"]) {
      expect(await outcome(changed, whole), changed).to.equal("rejected");
    }
  });

  it("leaves what concurrent transactions do as if the valid ones had run one after the other", async () => {
    const rounds = fc.array(fc.array(call, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });
    let conflicts = 0;
    await fc.assert(
      fc.asyncProperty(rounds, async (batches) => {
        const one = await openLedger(folders.make(), { endorsers: organisations([Notes]) });
        const client = one.as({ msp: "Org1" });
        for (const batch of batches) await Promise.allSettled(batch.map((each) => client.submit(each)));
        const model: Model = new Map();
        for await (const { transactions } of one.blocks(0n)) {
          for (const { call: done, writes, validation } of transactions) {
            if (validation !== "VALID") {
              conflicts += 1;
              continue;
            }
            expect(writes, done.name).to.deep.equal(writesOf(model, done));
            applyWrites(model, writes);
          }
        }
        for (const k of ["a", "b", "c", "d"]) {
          const value = model.get(k);
          expect(await one.state.get(k)).to.deep.equal(value === undefined ? undefined : utf8(value));
        }
        await one.close();
      }),
      { numRuns: 30, seed: 20130408 },
    );
    expect(conflicts, "the rounds made conflicts").to.be.greaterThan(20);
  });

  it("takes nothing more once it is closed, but finishes what was under way", async () => {
    const client = ledger.as({ msp: "Org1" });
    const underWay = client.submit(notes("put", "k", "1"));
    await ledger.close();
    expect((await underWay).blockNumber).to.equal(0n);
    for (const late of [client.submit(notes("put", "k", "2")), client.evaluate(notes("get", "k"))]) {
      const error = await failure(late);
      expect(error.code).to.equal("ledger-unavailable");
      expect(error.facts).to.deep.equal({ why: "it is closed" });
    }
    expect((await failure(all(ledger.blocks(0n)))).code).to.equal("ledger-unavailable");
  });
});
