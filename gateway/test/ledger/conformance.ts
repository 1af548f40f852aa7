import { createHash } from "node:crypto";
import { expect } from "chai";
import { VeilgridError, utf8 } from "@veilgrid/protocol";
import type {
  Call,
  Ledger,
  LedgerBlock,
  LedgerClient,
  LedgerEvent,
  LedgerTransaction,
} from "../../src/ports/ledger.js";

/** A ledger with the Notes contract, and two organisations that may call it. Other contracts may be there too. */
export interface Subject {
  readonly ledger: Ledger;
  readonly callers: readonly [string, string];
}

/** What the calls of a promise that has to fail are about. */
export async function failure(promise: Promise<unknown>): Promise<VeilgridError> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof VeilgridError)) throw new Error("a VeilgridError was due", { cause: outcome });
  return outcome;
}

/** A call of the Notes contract. */
export function notes(name: string, ...args: readonly string[]): Call {
  return { name: `Notes:${name}`, args };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function transactionOf(ledger: Ledger, blockNumber: bigint, txId: string): Promise<LedgerTransaction> {
  const blocks: LedgerBlock[] = await all(ledger.blocks(blockNumber));
  const found = blocks[0]?.transactions.find((transaction) => transaction.txId === txId);
  if (found === undefined) throw new Error(`transaction ${txId} is not in block ${blockNumber.toString()}`);
  return found;
}

/**
 * What every implementation of the Ledger port must do. The tests write under keys of their own and count blocks from
 * where they begin, so they can run on a ledger that is in use.
 */
export function describeLedger(name: string, open: () => Promise<Subject>, close: () => Promise<void>): void {
  describe(`${name} as a ledger`, () => {
    let subject: Subject;
    let ledger: Ledger;
    let alice: LedgerClient;
    let bob: LedgerClient;
    let prefix: string;
    let tests = 0;

    before(async () => {
      subject = await open();
      ledger = subject.ledger;
      alice = ledger.as({ msp: subject.callers[0] });
      bob = ledger.as({ msp: subject.callers[1] });
    });

    beforeEach(async () => {
      tests += 1;
      prefix = `${(await ledger.height()).toString()}/${tests}/`;
    });

    after(() => close());

    it("gives a committed transaction's place and result, and its effect to everyone", async () => {
      const first = await alice.submit(notes("put", `${prefix}a`, "1"));
      const second = await bob.submit(notes("put", `${prefix}a`, "2"));
      expect(text(first.result)).to.equal("");
      expect(text(second.result)).to.equal("1");
      expect(second.blockNumber > first.blockNumber).to.equal(true);
      expect(await ledger.height()).to.equal(second.blockNumber + 1n);
      expect(first.txId)
        .to.match(/^[0-9a-f]{64}$/)
        .and.not.equal(second.txId);
      expect(text(await alice.evaluate(notes("get", `${prefix}a`)))).to.equal("2");
    });

    it("keeps what a transaction was and did in its block", async () => {
      const { blockNumber, txId } = await bob.submit(notes("put", `${prefix}a`, "1"));
      const kept = await transactionOf(ledger, blockNumber, txId);
      expect(kept).to.deep.equal({
        txId,
        caller: subject.callers[1],
        call: { name: "Notes:put", args: [`${prefix}a`, "1"] },
        writes: [{ key: `${prefix}a`, value: utf8("1") }],
        event: { name: "put", payload: utf8(`${prefix}a=1`) },
        validation: "VALID",
      });
    });

    it("keeps writes in the order of the keys' bytes, of each key the last", async () => {
      const { blockNumber, txId } = await alice.submit(notes("shuffle", prefix));
      const { writes } = await transactionOf(ledger, blockNumber, txId);
      const expected = [["a", "1"] as const, ["b", "2"] as const, ["é", "1"] as const];
      expect(writes).to.deep.equal(expected.map(([key, value]) => ({ key: prefix + key, value: utf8(value) })));
    });

    it("keeps a deletion as a write without a value", async () => {
      await alice.submit(notes("put", `${prefix}a`, "1"));
      const { blockNumber, txId } = await alice.submit(notes("remove", `${prefix}a`));
      const kept = await transactionOf(ledger, blockNumber, txId);
      expect(kept.writes).to.deep.equal([{ key: `${prefix}a`, value: undefined }]);
      expect(kept).not.to.have.property("event");
      expect(text(await alice.evaluate(notes("get", `${prefix}a`)))).to.equal("");
    });

    it("takes an empty value for a deletion", async () => {
      await alice.submit(notes("put", `${prefix}a`, "1"));
      await alice.submit(notes("emptyValue", `${prefix}a`));
      expect(text(await alice.evaluate(notes("list", prefix, `${prefix}~`, "0")))).to.equal("");
    });

    it("throws a query's writes away", async () => {
      const height = await ledger.height();
      expect(text(await alice.evaluate(notes("increment", `${prefix}n`)))).to.equal("1");
      expect(text(await alice.evaluate(notes("increment", `${prefix}n`)))).to.equal("1");
      expect(await ledger.height()).to.equal(height);
    });

    it("shows a transaction the state before it, never its own writes", async () => {
      await alice.submit(notes("put", `${prefix}a`, "before"));
      const { result } = await alice.submit(notes("writeThenRead", `${prefix}a`, "after"));
      expect(text(result)).to.equal("before");
      expect(text(await bob.evaluate(notes("get", `${prefix}a`)))).to.equal("after");
    });

    it("tells the contract who calls and which transaction it is", async () => {
      expect(text(await alice.evaluate(notes("who")))).to.equal(subject.callers[0]);
      expect(text(await bob.evaluate(notes("who")))).to.equal(subject.callers[1]);
      const { txId, result } = await bob.submit(notes("txId"));
      expect(text(result)).to.equal(txId);
    });

    it("carries bulk bytes as transient data: into the state, not into the call", async () => {
      const bulk = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
      const sha256 = createHash("sha256").update(bulk).digest("hex");
      const call = notes("bulk", `${prefix}b`, sha256);
      const { blockNumber, txId } = await alice.submit({ ...call, transient: { bulk } });
      const kept = await transactionOf(ledger, blockNumber, txId);
      expect(kept.call).to.deep.equal({ name: "Notes:bulk", args: [`${prefix}b`, sha256] });
      expect(kept.writes).to.deep.equal([{ key: `${prefix}b`, value: bulk }]);
      expect((await failure(alice.submit(call))).facts.contract).to.equal("wrong-bulk");
    });

    it("lists a range in the order of the keys' bytes, the end not included", async () => {
      for (const key of ["b", "é", "a", "ab", "B"]) await alice.submit(notes("put", prefix + key, key));
      const list = async (...args: [string, string, string]): Promise<string[]> =>
        text(await alice.evaluate(notes("list", ...args)))
          .split("\n")
          .map((line) => line.slice(prefix.length));
      expect(await list(prefix, `${prefix}\u{10ffff}`, "0")).to.deep.equal(["B=B", "a=a", "ab=ab", "b=b", "é=é"]);
      expect(await list(`${prefix}a`, `${prefix}b`, "0")).to.deep.equal(["a=a", "ab=ab"]);
      expect(await list(prefix, `${prefix}\u{10ffff}`, "2")).to.deep.equal(["B=B", "a=a"]);
    });

    it("passes a contract's refusal on with its code and facts, and nothing has happened", async () => {
      const height = await ledger.height();
      const call = notes("refuse", "too-late");
      for (const refused of [() => alice.submit(call), () => alice.evaluate(call)]) {
        const error = await failure(refused());
        expect(error.code).to.equal("endorse-refused");
        expect(error.facts).to.deep.equal({ contract: "too-late", limit: 3 });
        expect(error.blame).to.equal("caller");
        expect(error.retry).to.equal(false);
      }
      expect(await ledger.height()).to.equal(height);
    });

    it("takes any other failure of a contract for a refusal without a code", async () => {
      for (const call of [notes("break"), notes("no such function"), notes("put", "too few arguments")]) {
        const error = await failure(alice.submit(call));
        expect(error.code, call.name).to.equal("endorse-refused");
        expect(error.facts.contract, call.name).to.equal("contract-error");
      }
    });

    it("lets no two concurrent transactions count from the same value", async () => {
      const attempts = Array.from({ length: 8 }, () => bob.submit(notes("increment", `${prefix}n`)));
      const outcomes = await Promise.allSettled(attempts);
      const committed = outcomes.filter(({ status }) => status === "fulfilled");
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        const error = outcome.reason as VeilgridError;
        expect(error.code).to.equal("mvcc-conflict");
        expect(error.retry).to.equal(true);
      }
      expect(committed.length).to.be.greaterThan(0);
      expect(text(await bob.evaluate(notes("get", `${prefix}n`)))).to.equal(committed.length.toString());
    });

    it("replays events from any block, those of valid transactions only, in order", async () => {
      const from = await ledger.height();
      const places: { txId: string; blockNumber: bigint }[] = [];
      for (const value of ["1", "2", "3"]) places.push(await alice.submit(notes("put", `${prefix}e`, value)));
      const expected = places.map(({ txId, blockNumber }, i) => ({
        blockNumber,
        txId,
        name: "put",
        payload: utf8(`${prefix}e=${i + 1}`),
      }));
      const ours = (events: LedgerEvent[]): LedgerEvent[] =>
        events.filter(({ txId }) => places.some((place) => place.txId === txId));
      expect(ours(await all(ledger.events(from)))).to.deep.equal(expected);
      expect(ours(await all(ledger.events((places[1]?.blockNumber ?? 0n) + 1n)))).to.deep.equal(expected.slice(2));
      expect(await all(ledger.events(await ledger.height()))).to.deep.equal([]);
    });

    it("numbers its blocks without a gap up to the height", async () => {
      const numbers = (await all(ledger.blocks(0n))).map(({ number }) => number);
      expect(numbers).to.deep.equal(Array.from({ length: Number(await ledger.height()) }, (_, i) => BigInt(i)));
    });
  });
}
