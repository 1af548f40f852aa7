import { expect } from "chai";
import { consortiumId, paramsCodec, toHex, type Transition } from "@veilgrid/protocol";
import { Chain, startedChain } from "../../src/consortium/chain.js";
import { MapLedger } from "../../src/consortium/map-ledger.js";
import { paramsOf } from "../../src/consortium/members.js";
import { failureOf, refusalOf, refused } from "../../src/consortium/refused.js";

describe("set-up of the ledger", () => {
  it("stores exactly the parameter set, whose hash is the consortium id", async () => {
    const ledger = new MapLedger();
    const bytes = paramsCodec.encode(paramsOf());
    await ledger.setUp(bytes);
    expect(ledger.keys).to.deep.equal(["consortium", "params", "params/00001"]);
    expect(await ledger.get("params/00001")).to.deep.equal(bytes);
    expect(toHex(await ledger.view.consortium())).to.equal(toHex(consortiumId(bytes)));
    expect((ledger.last as Transition).event).to.deep.equal({ name: "setup", payload: consortiumId(bytes) });
    expect(await ledger.view.currentParams()).to.deep.equal(paramsOf());
    expect(await ledger.view.isSetUp()).to.equal(true);
  });

  it("is not repeated", async () => {
    const { ledger } = await startedChain();
    const other = paramsCodec.encode(paramsOf({ channel: "mine" }));
    expect((await refusalOf(ledger, () => ledger.setUp(other))).code).to.equal("already-set-up");
  });

  it("takes version 1 only, and only canonical bytes", async () => {
    const ledger = new MapLedger();
    const later = paramsCodec.encode(paramsOf({ version: 2 }));
    expect((await refusalOf(ledger, () => ledger.setUp(later))).code).to.equal("wrong-version");
    const trailing = Uint8Array.of(...paramsCodec.encode(paramsOf()), 0);
    expect((await refusalOf(ledger, () => ledger.setUp(trailing))).code).to.equal("malformed");
  });

  it("comes before everything else", async () => {
    const chain = Chain.of(new MapLedger(), paramsOf());
    expect(await chain.view.isSetUp()).to.equal(false);
    const error = await failureOf(chain.elect(1n, 0));
    expect([error.code, error.retry]).to.deep.equal(["not-set-up", true]);
    const { ledger } = chain;
    expect((await refusalOf(ledger, () => ledger.submitBlock(new Uint8Array(), new Uint8Array()))).code).to.equal(
      "not-set-up",
    );
  });

  it("leaves the ledger in term 0, where nobody may form a block", async () => {
    const started = await startedChain();
    const { leader } = await started.view.term();
    const sealed = await started.seal(started.epoch());
    const chain = started.on(new MapLedger());
    await chain.ledger.setUp(paramsCodec.encode(chain.params));
    expect(await chain.view.term()).to.deep.equal({ term: 0n, leader: undefined, recent: [] });
    expect(leader).to.not.equal(undefined);
    expect((await refusalOf(chain.ledger, () => chain.submit(sealed))).code).to.equal("wrong-term");
    expect(await refused(started, started.epoch(), { header: { term: 2n } })).to.equal("wrong-term");
  });
});
