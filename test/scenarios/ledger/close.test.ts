import { expect } from "chai";
import { BASIS, monthEnd, type Close } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { MONTH, daKey, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { closeDraft, masksDraft, pricesDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

function draftOf(chain: Chain, ...closes: readonly Close[]): Draft {
  return chain.at(closeDraft(chain.issuing, closes));
}

const own: Close = { region: 1, month: MONTH };

/** Region 1 with a whole period and an empty one, both priced; time stands just before the month may be closed. */
async function dueChain(): Promise<Chain> {
  const chain = await startedChain();
  await chain.commit(chain.epoch({ periods: 2 }));
  await chain.settle({ k: 0 });
  await chain.settle({ k: 1 }, []);
  const prices = [
    chain.price({ k: 0 }, { basis: 3, consumption: 0n }),
    chain.price({ k: 1 }, { basis: 4, consumption: 0n }),
  ];
  chain.now += 7_200_000n;
  await chain.commit(chain.at(pricesDraft(chain.issuing, prices)));
  chain.now = BigInt(monthEnd(MONTH + 2)) - 1n;
  return chain;
}

describe("the close of a month on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await dueChain();
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("deletes the bulk values and keeps headers, records and prices", async () => {
    const before = chain.ledger.keys;
    await chain.commit(draftOf(chain, own));
    const after = chain.ledger.keys;
    expect(before.filter((key) => !after.includes(key))).to.deep.equal([
      "body/00001/00000000000000000001",
      "body/00001/00000000000000000002",
    ]);
    expect(after.filter((key) => !before.includes(key))).to.deep.equal([
      "body/00000/00000000000000000002",
      "close/00001/024159",
      "header/00000/00000000000000000002",
    ]);
    expect(await chain.view.monthDeleted(1, MONTH)).to.equal(true);
    expect(await chain.view.block(1, 2n)).to.equal(undefined);
    expect((await chain.view.header(1, 2n))?.header.count).to.equal(12);
    expect((await chain.view.block(1, 3n))?.block.leaves).to.deep.equal([]);
    expect((await chain.view.price(1, periodAt(0)))?.basis).to.equal(BASIS.lateRelease);
    expect(await chain.view.epochAt(1, periodAt(0))).to.equal(undefined);
    expect(await chain.view.periodParams(1, periodAt(0))).to.deep.equal(chain.params);
    expect(await chain.view.monthClosed(1, MONTH)).to.equal(true);
  });

  it("lets the region go on", async () => {
    await chain.commit(draftOf(chain, own));
    expect(await chain.view.nextReadings(1)).to.equal(undefined);
    expect(await refused(chain, { ...chain.epoch({ k: 1 }), ts: chain.now })).to.equal("overlapping-epoch");
  });

  it("leaves nothing to release a sum of, but the word that there is none", async () => {
    await chain.commit(draftOf(chain, own));
    const late = chain.at(masksDraft(chain.issuing, [chain.release()]));
    expect(await refused(chain, late)).to.equal("month-deleted");
    await chain.commit(chain.at(masksDraft(chain.issuing, [{ ...chain.release(), status: 2, z: 0n, excluded: [] }])));
  });

  describe("is refused", () => {
    it("before closeMonths have passed, and may be good later", async () => {
      chain.now -= 1n;
      const sealed = await chain.seal(draftOf(chain, own));
      const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
      expect([error.code, error.retry]).to.deep.equal(["too-early", true]);
      chain.now += 1n;
      await chain.commit(draftOf(chain, own));
    });

    it("before the month is over, however few months have to pass", async () => {
      const hasty = await startedChain({ closeMonths: 0 });
      await hasty.commit(hasty.epoch());
      // The window of the month's last period is open.
      hasty.now = BigInt(monthEnd(MONTH)) + 599_998n;
      expect(await refused(hasty, draftOf(hasty, own))).to.equal("too-early");
      hasty.now += 30_001n;
      expect(await refused(hasty, draftOf(hasty, own))).to.equal("month-open");
    });

    it("while a period has no price", async () => {
      const open = await startedChain();
      await open.commit(open.epoch());
      open.now = BigInt(monthEnd(MONTH + 2));
      const sealed = await open.seal(draftOf(open, own));
      const error = await refusalOf(open.ledger, () => open.submit(sealed));
      expect([error.code, error.retry]).to.deep.equal(["month-open", true]);
    });

    it("twice", async () => {
      await chain.commit(draftOf(chain, own));
      expect(await refused(chain, draftOf(chain, own))).to.equal("month-deleted");
      expect(await refused(chain, draftOf(chain, own, own))).to.equal("malformed");
    });

    it("of a month in which the region has nothing", async () => {
      expect(await refused(chain, draftOf(chain, { region: 1, month: MONTH - 1 }))).to.equal("no-epoch");
      expect(await refused(chain, draftOf(chain, { region: 2, month: MONTH }))).to.equal("no-epoch");
    });

    it("by anybody but KGCBP", async () => {
      for (const issuer of [chain.params.cc.key, daKey(chain.params, 0)]) {
        const draft = chain.at(closeDraft({ ...chain.issuing, issuer }, [own]));
        expect(await refused(chain, draft)).to.equal("bad-signature");
      }
    });
  });
});
