import { expect } from "chai";
import { BASIS, bloomBytes, periodEnd, type Epoch, type Params } from "@veilgrid/protocol";
import { type Draft } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { epochDraft, epochOf } from "../../src/consortium/epochs.js";
import { issuedLeaf, paramsDraft, pricesDraft } from "../../src/consortium/issued.js";
import { memberOf } from "../../src/consortium/members.js";
import { refused } from "../../src/consortium/refused.js";

describe("an epoch block on the ledger", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startedChain();
  });

  /** The epoch of three periods from k = 0 with something else in it. */
  function changed(change: Partial<Epoch>): Draft {
    const epoch = epochOf(chain.issuing, chain.meters, { region: 1, first: periodAt(0), periods: 3 });
    return chain.at(epochDraft(chain.issuing, { ...epoch, ...change }));
  }

  /** An epoch whose body has other bytes, under KGCBP's good signature. */
  function edited(edit: (body: Uint8Array) => Uint8Array): Draft {
    const draft = chain.epoch();
    const body = edit((draft.leaves[0] as Uint8Array).slice(0, -64));
    return { ...draft, leaves: [issuedLeaf(chain.consortium, "epoch", body, chain.params.kgcbp.key)] };
  }

  async function adopt(change: Partial<Params>): Promise<void> {
    const next = { ...chain.params, version: chain.params.version + 1, ...change };
    await chain.commit(chain.at(paramsDraft(chain.issuing, next)));
    chain.adopt(next);
  }

  it("covers its periods, which are due one after the other", async () => {
    await chain.commit(chain.epoch({ k: 2, periods: 2 }));
    expect(await chain.view.regions()).to.deep.equal([1]);
    expect(await chain.view.epochs(1, periodAt(0).month)).to.deep.equal([{ k: 2, periods: 2, number: 1n }]);
    expect(await chain.view.nextReadings(1)).to.deep.equal(periodAt(2));
    const covering = await chain.view.epochAt(1, periodAt(3));
    expect([covering?.number, covering?.epoch.first, covering?.epoch.meters]).to.deep.equal([1n, periodAt(2), 6]);
    expect(await chain.view.periodParams(1, periodAt(3))).to.deep.equal(chain.params);
    expect(await chain.view.epochAt(1, periodAt(1))).to.equal(undefined);
    expect(await chain.view.epochAt(1, periodAt(4))).to.equal(undefined);
    expect(await chain.view.periodParams(1, periodAt(4))).to.equal(undefined);
  });

  it("may leave periods out after the one before", async () => {
    await chain.commit(chain.epoch({ periods: 2 }));
    await chain.commit(chain.epoch({ k: 5, periods: 1 }));
    await chain.settle({ k: 0 });
    await chain.settle({ k: 1 });
    expect(await chain.view.nextReadings(1)).to.deep.equal(periodAt(5));
    await chain.settle({ k: 5 });
    expect(await chain.view.nextReadings(1)).to.equal(undefined);
  });

  it("goes on in the next month", async () => {
    const last = { month: periodAt(0).month, k: 1439 };
    const next = { month: last.month + 2, k: 3 };
    const meters = chain.meters;
    await chain.commit(
      chain.at(epochDraft(chain.issuing, epochOf(chain.issuing, meters, { region: 1, first: last, periods: 1 }))),
    );
    await chain.commit(
      chain.at(epochDraft(chain.issuing, epochOf(chain.issuing, meters, { region: 1, first: next, periods: 2 }))),
    );
    expect(await chain.view.nextReadings(1)).to.deep.equal(last);
    await chain.settle({ k: 1439 });
    expect(await chain.view.nextReadings(1)).to.deep.equal(next);
  });

  it("is one region's: others have their own", async () => {
    await chain.commit(chain.epoch({ region: 9 }));
    await chain.commit(chain.epoch({ region: 2 }));
    await chain.commit(chain.epoch({ region: 9, k: 3 }));
    expect(await chain.view.regions()).to.deep.equal([9, 2]);
    expect(await chain.view.nextReadings(1)).to.equal(undefined);
    expect(await chain.view.epoch(9, 2n)).to.deep.include({ region: 9, first: periodAt(3) });
    expect(await chain.view.epoch(9, 3n)).to.equal(undefined);
  });

  it("is no epoch where another kind of block stands", async () => {
    await chain.commit(chain.epoch());
    await chain.settle();
    expect(await chain.view.epoch(1, 2n)).to.equal(undefined);
  });

  it("that KGCBP did not sign is refused", async () => {
    const epoch = epochOf(chain.issuing, chain.meters, { region: 1, first: periodAt(0), periods: 1 });
    const issuer = (chain.params.da[0] as { key: Uint8Array }).key;
    expect(await refused(chain, chain.at(epochDraft({ ...chain.issuing, issuer }, epoch)))).to.equal("bad-signature");
  });

  it("that covers a period again is refused", async () => {
    await chain.commit(chain.epoch());
    expect(await refused(chain, chain.epoch())).to.equal("overlapping-epoch");
    expect(await refused(chain, chain.epoch({ k: 2 }))).to.equal("overlapping-epoch");
  });

  it("that covers an earlier period is refused", async () => {
    await chain.commit(chain.epoch({ k: 4 }));
    expect(await refused(chain, chain.epoch({ k: 0 }))).to.equal("overlapping-epoch");
  });

  it("at or after the end of its first period is refused", async () => {
    const end = BigInt(periodEnd(periodAt(0), 1800));
    expect(await refused(chain, { ...chain.epoch(), ts: end })).to.equal("too-late");
    await chain.commit({ ...chain.epoch(), ts: end - 1n });
  });

  it("whose first period is priced as having no epoch is refused", async () => {
    const price = { region: 1, period: periodAt(0), price: 1n, basis: BASIS.noEpoch, consumption: 0n };
    const ended = BigInt(periodEnd(periodAt(0), 1800));
    await chain.commit(chain.at(pricesDraft(chain.issuing, [{ ...price, cbh: new Uint8Array(32) }]), ended));
    // The region's chain may lag behind chain 0 by the skew that voters allow.
    expect(await refused(chain, { ...chain.epoch(), ts: ended - 1n })).to.equal("too-late");
    await chain.commit({ ...chain.epoch({ k: 1 }), ts: ended - 1n });
  });

  it("that leaves its UTC day is refused", async () => {
    const draft = edited((body) => {
      // `periods`, after version, region and period.
      new DataView(body.buffer).setUint16(9, 49);
      return body;
    });
    expect(await refused(chain, draft)).to.equal("malformed");
  });

  it("with more meters than a region may have is refused", async () => {
    chain = await startedChain({ maxRegionMeters: 5 });
    const epoch = chain.epoch.bind(chain);
    expect(epoch).to.throw("number of meters");
    const roomy = { ...chain.params, maxRegionMeters: 50 };
    expect(await refused(chain, chain.epoch({ params: roomy }))).to.equal("malformed");
  });

  it("that names another region, period or version than its header is refused", async () => {
    for (const [at, value] of [
      [2, 2],
      [6, 1],
      [8, 1],
      [12, 2],
    ] as const) {
      expect(
        await refused(
          chain,
          edited((body) => body.with(at, value)),
        ),
        `byte ${at}`,
      ).to.equal("malformed");
    }
  });

  it("of bytes that are none is refused", async () => {
    expect(
      await refused(
        chain,
        edited((body) => body.slice(0, -1)),
      ),
    ).to.equal("malformed");
    expect(
      await refused(
        chain,
        edited((body) => Uint8Array.of(...body, 0)),
      ),
    ).to.equal("malformed");
    expect(
      await refused(
        chain,
        edited((body) => body.with(0, 2)),
      ),
    ).to.equal("malformed");
    expect(await refused(chain, { ...chain.epoch(), leaves: [new Uint8Array(64)] })).to.equal("malformed");
  });

  it("has one leaf", async () => {
    const draft = chain.epoch();
    const two = [...draft.leaves, ...draft.leaves];
    expect(await refused(chain, { ...draft, leaves: two })).to.equal("malformed");
    expect(await refused(chain, { ...draft, leaves: [] })).to.equal("malformed");
  });

  it("carries no aggFault", async () => {
    expect(await refused(chain, { ...chain.epoch(), aggFault: true })).to.equal("malformed");
  });

  it("with more leaves than meters, or a root without leaves, is none", () => {
    expect(() => changed({ leaves: 7 })).to.throw("more leaves than meters");
    expect(() => changed({ leaves: 0 })).to.throw("a root without leaves");
  });

  it("has filters of the size that its number of meters gives", async () => {
    await chain.commit(chain.epoch());
    const entries = (await chain.view.epochAt(1, periodAt(0)))?.epoch.entries;
    // 12 PRIDs of 29 bits.
    expect(entries?.map(({ bf1 }) => bf1.length)).to.deep.equal([44, 44, 44]);
    expect(bloomBytes(12, 29)).to.equal(44);
  });

  it("may name the version in force or the one before", async () => {
    const [first] = [chain.params];
    await adopt({ roundSeconds: 11 });
    await chain.commit(chain.epoch({ k: 0, params: first }));
    await chain.commit(chain.epoch({ k: 3 }));
    await adopt({ roundSeconds: 12 });
    expect(await refused(chain, chain.epoch({ k: 6, params: first }))).to.equal("wrong-params");
    await chain.commit(chain.epoch({ k: 6, params: chain.version(2) }));
    expect(await chain.view.periodParams(1, periodAt(0))).to.deep.equal(first);
    expect(await chain.view.periodParams(1, periodAt(3))).to.deep.equal(chain.version(2));
  });

  it("is signed by the KGCBP of the version that it names", async () => {
    const first = chain.params;
    await adopt({ kgcbp: memberOf("Kgcbp", "its second key") });
    const issuer = chain.params.kgcbp.key;
    const old = epochOf({ ...chain.issuing, params: first }, chain.meters, {
      region: 1,
      first: periodAt(0),
      periods: 1,
    });
    const forged = epochDraft({ ...chain.issuing, params: first, issuer }, old);
    expect(await refused(chain, chain.at(forged))).to.equal("bad-signature");
    await chain.commit(chain.at(epochDraft({ ...chain.issuing, params: first }, old)));
  });
});
