import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Contract } from "fabric-contract-api";
import type { Context } from "fabric-contract-api";
import shim from "fabric-shim";
import type { Call } from "../../src/ports/ledger.js";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { Notes } from "./contract.js";
import { failure, notes } from "./conformance.js";
import { Folders, NOW, openLedger, organisations } from "./world.js";

/** What contracts should not do, and what this ledger does not have. */
class Misuse extends Contract {
  static late: Promise<unknown> | undefined;

  constructor() {
    super("Misuse");
  }

  /** Returns before its last write: whoever forgets an await. */
  async forget(ctx: Context): Promise<void> {
    await ctx.stub.putState("kept", Buffer.from("1"));
    Misuse.late = new Promise((resolve) => setImmediate(resolve)).then(() =>
      ctx.stub.putState("forgotten", Buffer.from("1")),
    );
    Misuse.late.catch(() => undefined);
  }

  /** Goes on using an array that it has handed over. */
  async reuse(ctx: Context): Promise<void> {
    const bytes = Buffer.from("first");
    await ctx.stub.putState("first", bytes);
    bytes.write("other");
    await ctx.stub.putState("other", bytes);
  }

  async abandon(ctx: Context): Promise<string> {
    const first = await (await ctx.stub.getStateByRange("n/", "n/~")).next();
    return first.value.key;
  }

  async emptyKey(ctx: Context): Promise<void> {
    await ctx.stub.putState("", Buffer.from("1"));
  }

  async missing(ctx: Context, what: string): Promise<void> {
    const { stub } = ctx;
    const calls: Record<string, () => Promise<unknown>> = {
      "private reads": () => stub.getPrivateData("c", "k"),
      "private writes": () => stub.putPrivateData("c", "k", Buffer.from("v")),
      "private deletions": () => stub.deletePrivateData("c", "k"),
      "private hashes": () => stub.getPrivateDataHash("c", "k"),
      "private purges": () => stub.purgePrivateData("c", "k"),
      "private ranges": () => stub.getPrivateDataByRange("c", "a", "b"),
      pages: () => stub.getStateByRangeWithPagination("a", "b", 5),
      "rich queries": () => stub.getQueryResult("{}"),
      history: () => stub.getHistoryForKey("k"),
      "key policies": () => stub.setStateValidationParameter("k", Buffer.from("p")),
      "key policies' reading": () => stub.getStateValidationParameter("k"),
      "other chaincode": () => stub.invokeChaincode("other", ["f"], ""),
    };
    await calls[what]?.();
  }

  stubOf(ctx: Context): Promise<string> {
    const { seconds, nanos } = ctx.stub.getTxTimestamp();
    const isReal = ctx.stub instanceof shim.ChaincodeStub;
    return Promise.resolve(`${isReal} ${ctx.stub.getChannelID()} ${seconds.toString()} ${nanos}`);
  }
}

function misuse(name: string, ...args: readonly string[]): Call {
  return { name: `Misuse:${name}`, args };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

describe("the stub that contracts get", () => {
  const folders = new Folders();
  let ledger: EmbeddedLedger;

  beforeEach(async () => {
    ledger = await openLedger(folders.make(), { endorsers: organisations([Notes, Misuse]) });
  });

  afterEach(() => ledger.close());

  after(() => {
    folders.remove();
  });

  it("is fabric-shim's own, with the channel and the caller's time", async () => {
    const answer = text(await ledger.as({ msp: "Org1" }).evaluate(misuse("stubOf")));
    expect(answer).to.equal(`true notes ${Math.floor(NOW / 1000)} 250000000`);
  });

  it("refuses a write that comes after the transaction is over", async () => {
    await ledger.as({ msp: "Org1" }).submit(misuse("forget"));
    const late = await Misuse.late?.then(
      () => "accepted",
      (error: unknown) => (error as Error).message,
    );
    expect(late).to.equal("the transaction is over: a call to the stub was not awaited");
    expect(await ledger.state.get("kept")).to.deep.equal(Uint8Array.of(0x31));
    expect(await ledger.state.get("forgotten")).to.equal(undefined);
  });

  it("takes a value as it is when it is handed over", async () => {
    await ledger.as({ msp: "Org1" }).submit(misuse("reuse"));
    expect(text((await ledger.state.get("first")) ?? Uint8Array.of())).to.equal("first");
    expect(text((await ledger.state.get("other")) ?? Uint8Array.of())).to.equal("other");
  });

  it("goes through ranges of several batches, and through those that are left open", async () => {
    const client = ledger.as({ msp: "Org1" });
    const keys = Array.from({ length: 250 }, (_, i) => `n/${i.toString().padStart(3, "0")}`);
    await Promise.all(keys.map((key) => client.submit(notes("put", key, "v"))));
    const list = async (end: string, limit: number): Promise<string[]> =>
      text(await client.evaluate(notes("list", "n/", end, limit.toString()))).split("\n");
    expect(await list("n/~", 0)).to.deep.equal(keys.map((key) => `${key}=v`));
    for (const count of [99, 100, 101, 200, 201]) {
      expect(await list(keys[count] as string, 0), `${count} keys`).to.have.length(count);
      expect(await list("n/~", count), `the first ${count}`).to.have.length(count);
    }
    expect(text(await client.evaluate(misuse("abandon")))).to.equal("n/000");
  });

  it("says what the embedded ledger does not have", async () => {
    const why = {
      "private reads": "private data",
      "private writes": "private data",
      "private deletions": "private data",
      "private hashes": "private data",
      "private purges": "private data",
      "private ranges": "private data",
      pages: "pages",
      "rich queries": "rich queries",
      history: "history of keys",
      "key policies": "endorsement policies of keys",
      "key policies' reading": "endorsement policies of keys",
      "other chaincode": "other chaincode",
    };
    for (const [what, missing] of Object.entries(why)) {
      const error = await failure(ledger.as({ msp: "Org1" }).submit(misuse("missing", what)));
      expect(error.message, what).to.equal(`the contract refused: the embedded ledger has no ${missing}`);
    }
    const error = await failure(ledger.as({ msp: "Org1" }).submit(misuse("emptyKey")));
    expect(error.message).to.equal("the contract refused: a key must not be empty");
  });
});

describe("the process that contracts run in", () => {
  it("prints nothing, not even about a refusal", () => {
    const script = fileURLToPath(new URL("refused.js", import.meta.url));
    const folders = new Folders();
    const printed = execFileSync(process.execPath, [script, folders.make()], { encoding: "utf8" });
    folders.remove();
    expect(printed).to.equal("endorse-refused");
  });

  it("is not kept alive by fabric-shim after an error that nobody caught", () => {
    const listeners = process.listeners("unhandledRejection").map(({ name }) => name);
    expect(listeners).not.to.include("loggerUnhandledRejectionFn");
    const handlers = process.listeners("uncaughtException").map(({ name }) => name);
    expect(handlers).not.to.include("bound _uncaughtException");
  });
});
