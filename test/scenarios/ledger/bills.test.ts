import { expect } from "chai";
import { BASIS, monthCloses, sha256, utf8, type BillEntry, type Bills } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { MONTH, daKey, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { billsDraft, pricesDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

function entry(bid: number, change: Partial<BillEntry> = {}): BillEntry {
  const bytes = new Uint8Array(16).fill(bid);
  return { bid: bytes, revision: 0, cid: Uint8Array.of(1, 85), hash: sha256(utf8(`bill ${bid}`)), ...change };
}

function draftOf(chain: Chain, ...bills: readonly Bills[]): Draft {
  return chain.at(billsDraft(chain.issuing, bills));
}

const bills = (...entries: readonly BillEntry[]): Bills => ({ month: MONTH, entries });

/** Regions 1 and 2 with one empty period each, priced; time stands just before the month's close. */
async function closedChain(): Promise<Chain> {
  const chain = await startedChain();
  for (const region of [1, 2]) await chain.commit(chain.epoch({ region, periods: 1 }));
  for (const region of [1, 2]) await chain.settle({ region }, []);
  const empty = { basis: BASIS.empty, consumption: 0n } as const;
  const prices = [1, 2].map((region) => chain.price({ region }, empty));
  await chain.commit(chain.at(pricesDraft(chain.issuing, prices)));
  chain.now = BigInt(monthCloses(MONTH, chain.params)) - 1n;
  return chain;
}

describe("bills on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await closedChain();
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("are found by BID and month", async () => {
    const other = entry(2, { cid: Uint8Array.of(9) });
    await chain.commit(draftOf(chain, bills(entry(1), other)));
    const { revision, cid, hash } = other;
    expect(await chain.view.bill(other.bid, MONTH)).to.deep.equal({ revision, cid, hash });
    expect(await chain.view.bill(other.bid, MONTH + 1)).to.equal(undefined);
    expect(await chain.view.bill(entry(3).bid, MONTH)).to.equal(undefined);
  });

  it("may be of several transactions in a block, by their first BID", async () => {
    await chain.commit(draftOf(chain, bills(entry(1), entry(5)), bills(entry(2), entry(9))));
    expect(await chain.view.bill(entry(9).bid, MONTH)).to.not.equal(undefined);
    const again = (bid: number): BillEntry => entry(bid, { revision: 1 });
    expect(await refused(chain, draftOf(chain, bills(again(2)), bills(again(1))))).to.equal("malformed");
  });

  it("are revised one by one", async () => {
    await chain.commit(draftOf(chain, bills(entry(1))));
    const revised = entry(1, { revision: 1, hash: sha256(utf8("revised")) });
    await chain.commit(draftOf(chain, bills(revised, entry(2))));
    expect(await chain.view.bill(revised.bid, MONTH)).to.deep.include({ revision: 1, hash: revised.hash });
  });

  it("of a month that no region has are possible: nothing can be signed in it", async () => {
    await chain.commit(draftOf(chain, { month: MONTH - 1, entries: [entry(1)] }));
    expect(await chain.view.bill(entry(1).bid, MONTH - 1)).to.deep.include({ revision: 0 });
  });

  describe("are refused", () => {
    it("before the month's end, the window and the forwarding are over", async () => {
      chain.now -= 1n;
      const sealed = await chain.seal(draftOf(chain, bills(entry(1))));
      const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
      expect([error.code, error.retry]).to.deep.equal(["too-early", true]);
      chain.now += 1n;
      await chain.commit(draftOf(chain, bills(entry(1))));
    });

    it("while a region has a period without its price", async () => {
      const late = await startedChain();
      await late.commit(late.epoch({ region: 1, periods: 2 }));
      await late.settle({ k: 0 }, []);
      const price = late.price({}, { basis: BASIS.empty, consumption: 0n });
      await late.commit(late.at(pricesDraft(late.issuing, [price])));
      await late.settle({ k: 1 }, []);
      late.now = BigInt(monthCloses(MONTH, late.params));
      const sealed = await late.seal(draftOf(late, bills(entry(1))));
      const error = await refusalOf(late.ledger, () => late.submit(sealed));
      expect([error.code, error.retry, error.facts.region]).to.deep.equal(["month-open", true, 1]);
    });

    it("while a region has a period without its block", async () => {
      const open = await startedChain();
      await open.commit(open.epoch({ region: 5 }));
      open.now = BigInt(monthCloses(MONTH, open.params));
      expect(await refused(open, draftOf(open, bills(entry(1))))).to.equal("month-open");
    });

    it("with another revision than the next", async () => {
      expect(await refused(chain, draftOf(chain, bills(entry(1, { revision: 1 }))))).to.equal("wrong-revision");
      await chain.commit(draftOf(chain, bills(entry(1))));
      for (const revision of [0, 2]) {
        const sealed = await chain.seal(draftOf(chain, bills(entry(1, { revision }))));
        const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
        // What is too new may be the next one later.
        expect([error.code, error.retry], `revision ${revision}`).to.deep.equal(["wrong-revision", revision === 2]);
      }
    });

    it("twice in a transaction, or in a block", async () => {
      const twice = [bills(entry(1), entry(5)), bills(entry(2), entry(5))] as const;
      expect(await refused(chain, draftOf(chain, ...twice))).to.equal("wrong-revision");
      const successive = [bills(entry(1), entry(5)), bills(entry(2), entry(5, { revision: 1 }))] as const;
      expect(await refused(chain, draftOf(chain, ...successive))).to.equal("wrong-revision");
      expect(() => draftOf(chain, bills(entry(1), entry(1)))).to.throw("entries not ascending");
    });

    it("by anybody but KGCBP", async () => {
      for (const issuer of [chain.params.cc.key, daKey(chain.params, 0)]) {
        const draft = chain.at(billsDraft({ ...chain.issuing, issuer }, [bills(entry(1))]));
        expect(await refused(chain, draft)).to.equal("bad-signature");
      }
    });
  });

  it("count a month as closed by its prices", async () => {
    expect(await chain.view.monthClosed(1, MONTH)).to.equal(true);
    expect(await chain.view.monthClosed(3, MONTH)).to.equal(true);
    const open = await startedChain();
    await open.commit(open.epoch({ periods: 1 }));
    expect(await open.view.monthClosed(1, MONTH)).to.equal(false);
    await open.settle({}, []);
    expect(await open.view.monthClosed(1, MONTH)).to.equal(false);
    const price = open.price({}, { basis: BASIS.empty, consumption: 0n });
    await open.commit(open.at(pricesDraft(open.issuing, [price])));
    expect(await open.view.monthClosed(1, MONTH)).to.equal(true);
    expect(await open.view.price(1, periodAt(0))).to.deep.equal(price);
  });
});
