import { expect } from "chai";
import type { Context } from "fabric-contract-api";
import { VeilgridError } from "@veilgrid/protocol";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { contractError } from "../../src/ledger/errors.js";
import { Notes, refusal } from "./contract.js";
import { failure, notes } from "./conformance.js";
import { Folders, openLedger, organisations } from "./world.js";

class OtherValue extends Notes {
  override async put(ctx: Context, key: string, value: string): Promise<string> {
    return super.put(ctx, key, `${value}!`);
  }
}

class OtherResult extends Notes {
  override async put(ctx: Context, key: string, value: string): Promise<string> {
    return `${await super.put(ctx, key, value)}!`;
  }
}

class OtherEvent extends Notes {
  override async put(ctx: Context, key: string, value: string): Promise<string> {
    const before = await super.put(ctx, key, value);
    ctx.stub.setEvent("other", Buffer.from(`${key}=${value}`));
    return before;
  }
}

/** Reads one key more, which changes nothing that a client sees but what the transaction depends on. */
class OtherRead extends Notes {
  override async put(ctx: Context, key: string, value: string): Promise<string> {
    await ctx.stub.getState("another");
    return super.put(ctx, key, value);
  }
}

class Refusing extends Notes {
  override put(): Promise<string> {
    return Promise.reject(refusal("never", "not on this peer"));
  }
}

/** Counts how often its organisation was asked. */
function counting(): { readonly Contract: new () => Notes; readonly asked: () => number } {
  let count = 0;
  class Contract extends Notes {
    override put(ctx: Context, key: string, value: string): Promise<string> {
      count += 1;
      return super.put(ctx, key, value);
    }
  }
  return { Contract, asked: () => count };
}

describe("endorsement", () => {
  const folders = new Folders();
  let ledger: EmbeddedLedger;

  async function open(needed: number, ...contracts: (new () => Notes)[]): Promise<void> {
    ledger = await openLedger(folders.make(), { needed, endorsers: organisations(...contracts.map((c) => [c])) });
  }

  afterEach(() => ledger.close());

  after(() => {
    folders.remove();
  });

  for (const Odd of [OtherValue, OtherResult, OtherEvent, OtherRead, Refusing]) {
    it(`names the organisation whose result differs (${Odd.name})`, async () => {
      await open(3, Notes, Odd, Notes);
      const error = await failure(ledger.as({ msp: "Org1" }).submit(notes("put", "k", "v")));
      expect(error.code).to.equal("endorse-differs");
      expect(error.facts).to.deep.equal({ differs: "Org2", asked: 3 });
      expect(await ledger.height()).to.equal(0n);
    });
  }

  it("names all where no result has a majority", async () => {
    await open(2, Notes, OtherValue);
    const error = await failure(ledger.as({ msp: "Org1" }).submit(notes("put", "k", "v")));
    expect(error.facts).to.deep.equal({ differs: "Org1,Org2", asked: 2 });
  });

  it("refuses where all refuse with the same words", async () => {
    await open(2, Refusing, Refusing);
    const error = await failure(ledger.as({ msp: "Org1" }).submit(notes("put", "k", "v")));
    expect(error.code).to.equal("endorse-refused");
    expect(error.facts).to.deep.equal({ contract: "never" });
  });

  it("asks as many organisations as are needed, the caller's own first", async () => {
    const peers = [counting(), counting(), counting(), counting()];
    await open(2, ...peers.map(({ Contract }) => Contract));
    await ledger.as({ msp: "Org3" }).submit(notes("put", "k", "1"));
    expect(peers.map(({ asked }) => asked())).to.deep.equal([1, 0, 1, 0]);
    await ledger.as({ msp: "Elsewhere" }).submit(notes("put", "k", "2"));
    expect(peers.map(({ asked }) => asked())).to.deep.equal([2, 1, 1, 0]);
    await ledger.as({ msp: "Org4" }).evaluate(notes("put", "k", "3"));
    expect(peers.map(({ asked }) => asked())).to.deep.equal([2, 1, 1, 1]);
  });

  it("goes on without organisations that are down while enough are up", async () => {
    await open(3, Notes, Notes, Notes, Notes);
    const client = ledger.as({ msp: "Org1" });
    ledger.setAvailable("Org1", false);
    await client.submit(notes("put", "k", "1"));
    ledger.setAvailable("Org2", false);
    const error = await failure(client.submit(notes("put", "k", "2")));
    expect(error.code).to.equal("ledger-unavailable");
    expect(error.facts).to.deep.equal({ needed: 3, available: 2 });
    expect(error.retry).to.equal(true);
    expect(Buffer.from(await client.evaluate(notes("get", "k"))).toString()).to.equal("1");
    ledger.setAvailable("Org2", true);
    await client.submit(notes("put", "k", "2"));
    expect(await ledger.height()).to.equal(2n);
  });

  it("can ask nobody when all are down", async () => {
    await open(1, Notes);
    ledger.setAvailable("Org1", false);
    const error = await failure(ledger.as({ msp: "Org1" }).evaluate(notes("get", "k")));
    expect(error.facts).to.deep.equal({ needed: 1, available: 0 });
  });

  it("refuses options that cannot be", async () => {
    await open(1, Notes);
    expect(() => {
      ledger.setAvailable("Org2", false);
    }).to.throw(VeilgridError, "Org2 has no endorser");
    for (const needed of [0, 2]) {
      const error = await failure(openLedger(folders.make(), { needed, endorsers: organisations([Notes]) }));
      expect(error.code).to.equal("out-of-range");
      expect(error.facts).to.deep.equal({ needed, endorsers: 1 });
    }
  });
});

describe("a contract's refusal", () => {
  it("is read from the JSON of its message", () => {
    const message = JSON.stringify({ code: "bad-term", message: "an older term", facts: { term: "3" } });
    const expected = { code: "bad-term", message: "an older term", facts: { term: "3" } };
    expect(contractError(message)).to.deep.equal(expected);
    expect(contractError(`chaincode response 500, ${message}`)).to.deep.equal(expected);
  });

  it("needs its code only, and keeps facts that are no more than a value", () => {
    expect(contractError('{"code":"x"}')).to.deep.equal({ code: "x", message: "x", facts: {} });
    const { facts } = contractError('{"code":"x","facts":{"a":1,"b":"2","c":true,"d":null,"e":[1],"f":{}}}');
    expect(facts).to.deep.equal({ a: 1, b: "2", c: true });
  });

  it("may be any text", () => {
    for (const message of ["", "plain", "{", "{}", '{"code":3}', "a {b} c", "null", "[1]"]) {
      expect(contractError(message)).to.deep.equal({ code: "contract-error", message, facts: {} });
    }
  });
});
