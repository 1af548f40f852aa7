import { expect } from "chai";
import {
  BloomFilter,
  compareBytes,
  concat,
  periodEnd,
  sha256,
  toHex,
  utf8,
  type CommittedBlock,
  type Params,
} from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { MINUTE, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { paramsDraft } from "../../src/consortium/issued.js";
import { signedLeaf } from "../../src/consortium/meters.js";
import { aggregators } from "../../src/consortium/members.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

describe("a readings block on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await startedChain();
    await ready.commit(ready.epoch());
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  /** The block in which meter 0 sent other numbers of its halves than one each. */
  function withHalves(first: number, second: number): Draft {
    return chain.readings(
      {},
      chain.reports(([own, ...others]) => [{ ...(own as Report), halves: [first, second] }, ...others]),
    );
  }

  /** The block with these leaves besides, or instead of what `change` takes away. */
  function withLeaves(change: (leaves: readonly Uint8Array[]) => Uint8Array[], aggFault = false): Draft {
    const draft = chain.readings();
    return { ...draft, aggFault, leaves: change(draft.leaves).sort(compareBytes) };
  }

  describe("is committed", () => {
    it("with every listed reading and no fault", async () => {
      const { cbh } = await chain.commit(chain.readings());
      expect(await chain.view.readings(1, periodAt(0))).to.deep.equal({ number: 2n, cbh, aggFault: false, count: 12 });
      expect(await chain.view.fault(1, periodAt(0))).to.equal(undefined);
      expect(await chain.view.nextReadings(1)).to.deep.equal(periodAt(1));
    });

    it("with a half missing, and says so", async () => {
      const { header } = await chain.commit(withHalves(1, 0));
      expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: true, count: 11 });
      expect(await chain.view.fault(1, periodAt(0))).to.deep.equal({ number: 2n, ts: header.ts });
    });

    it("with a meter missing, and says so", async () => {
      await chain.commit(
        chain.readings(
          {},
          chain.reports(([, ...others]) => others),
        ),
      );
      expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: true, count: 10 });
    });

    it("with two readings of one PRID, which is no fault of the set", async () => {
      await chain.commit(withHalves(2, 1));
      expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: false, count: 13 });
    });

    it("with nothing at all, and has no body to store", async () => {
      const { block, cert } = await chain.commit(chain.readings({}, []));
      expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: true, count: 0 });
      expect(chain.ledger.keys.filter((key) => key.startsWith("body/"))).to.deep.equal([
        "body/00001/00000000000000000001",
      ]);
      const stored = (await chain.view.block(1, 2n)) as CommittedBlock;
      expect([toHex(stored.bytes), toHex(stored.cert), stored.block.leaves]).to.deep.equal([
        toHex(block),
        toHex(cert),
        [],
      ]);
    });

    it("one for each period, in the order of k", async () => {
      for (const k of [0, 1, 2]) await chain.settle({ k });
      expect((await chain.view.head(1)).lastReadings).to.deep.equal(periodAt(2));
      expect(await chain.view.nextReadings(1)).to.equal(undefined);
    });
  });

  describe("is refused", () => {
    it("with a forged signature", async () => {
      const [{ prid }] = (chain.meters[0] as (typeof chain.meters)[0]).halves(chain.place());
      const [{ secret }] = (chain.meters[1] as (typeof chain.meters)[0]).halves(chain.place());
      const forged = signedLeaf(chain.place(), { prid, secret }, 5n);
      expect(
        await refused(
          chain,
          withLeaves((leaves) => [...leaves, forged]),
        ),
      ).to.equal("bad-signature");
    });

    it("with a changed reading", async () => {
      const altered = withLeaves(([first, ...rest]) => [(first as Uint8Array).with(39, 1), ...rest]);
      expect(await refused(chain, altered)).to.equal("bad-signature");
    });

    it("with a reading that was signed for another period", async () => {
      const moved = chain.readings({ k: 1 }).leaves;
      expect(
        await refused(
          chain,
          withLeaves(() => [...moved]),
        ),
      ).to.equal("not-in-filter");
    });

    it("with another period's PRID, even if it signs for this one", async () => {
      const [half] = (chain.meters[0] as (typeof chain.meters)[0]).halves(chain.place({ k: 1 }));
      const foreign = signedLeaf(chain.place(), half, 5n);
      expect(
        await refused(
          chain,
          withLeaves((leaves) => [...leaves, foreign]),
        ),
      ).to.equal("not-in-filter");
    });

    it("with another region's reading", async () => {
      const elsewhere = chain.readings({ region: 2 }).leaves;
      // The meters of these tests have the same keys in every region, so that only the signatures tell.
      expect(
        await refused(
          chain,
          withLeaves(() => [...elsewhere]),
        ),
      ).to.equal("bad-signature");
    });

    it("with another consortium's reading", async () => {
      const consortium = sha256(utf8("another"));
      const [half] = (chain.meters[0] as (typeof chain.meters)[0]).halves(chain.place());
      const foreign = signedLeaf({ ...chain.place(), consortium }, half, 5n);
      expect(
        await refused(
          chain,
          withLeaves((leaves) => [...leaves, foreign]),
        ),
      ).to.equal("bad-signature");
    });

    it("with a duplicate", async () => {
      const twice = withLeaves((leaves) => [...leaves, leaves[0] as Uint8Array]);
      expect(await refused(chain, twice)).to.equal("malformed");
    });

    it("with three readings of one PRID", async () => {
      expect(await refused(chain, withHalves(3, 1))).to.equal("malformed");
    });

    it("with its readings in another order", async () => {
      const draft = chain.readings();
      expect(await refused(chain, { ...draft, leaves: [...draft.leaves].reverse() })).to.equal("malformed");
    });

    it("with a reading that is cut", async () => {
      const draft = chain.readings();
      const cut = [...draft.leaves.slice(0, -1), (draft.leaves.at(-1) as Uint8Array).slice(1)];
      expect(await refused(chain, { ...draft, leaves: cut })).to.equal("malformed");
    });

    it("with anything after its readings", async () => {
      const { block, cert } = await chain.seal(chain.readings());
      const longer = concat(block, Uint8Array.of(0));
      expect((await refusalOf(chain.ledger, () => chain.ledger.submitBlock(longer, cert))).code).to.equal("malformed");
      const shorter = block.slice(0, -1);
      expect((await refusalOf(chain.ledger, () => chain.ledger.submitBlock(shorter, cert))).code).to.equal("malformed");
    });

    it("with the wrong aggFault bit, both ways", async () => {
      expect(await refused(chain, { ...chain.readings(), aggFault: true })).to.equal("wrong-agg-fault");
      expect(await refused(chain, { ...withHalves(0, 1), aggFault: false })).to.equal("wrong-agg-fault");
      expect(await refused(chain, { ...withHalves(2, 1), aggFault: true })).to.equal("wrong-agg-fault");
      expect(await refused(chain, { ...chain.readings({}, []), aggFault: false })).to.equal("wrong-agg-fault");
    });

    it("before its window's end", async () => {
      const closes = BigInt(periodEnd(periodAt(0), 1800)) + 10n * MINUTE;
      expect(await refused(chain, { ...chain.readings(), ts: closes - 1n })).to.equal("too-early");
      await chain.commit({ ...chain.readings(), ts: closes });
    });

    it("for a period whose turn it is not", async () => {
      expect(await refused(chain, chain.readings({ k: 1 }))).to.equal("out-of-order");
      await chain.settle();
      expect(await refused(chain, chain.readings())).to.equal("out-of-order");
      expect(await refused(chain, chain.readings({ k: 2 }))).to.equal("out-of-order");
    });

    it("without an epoch", async () => {
      expect(await refused(chain, chain.readings({ region: 2 }))).to.equal("no-epoch");
      for (const k of [0, 1, 2]) await chain.settle({ k });
      expect(await refused(chain, chain.readings({ k: 3 }))).to.equal("no-epoch");
    });

    it("for a period that the month does not have under these parameters", async () => {
      const draft = { ...chain.readings(), period: periodAt(1440) };
      expect(await refused(chain, draft)).to.equal("malformed");
    });
  });

  it("stays under its epoch's version when another is in force", async () => {
    const first = chain.params;
    // Aggregator 0 leads; aggregator 3 is replaced.
    const next: Params = { ...first, version: 2, da: [...first.da.slice(0, 3), ...aggregators(5).slice(4)] };
    await chain.commit(chain.at(paramsDraft(chain.issuing, next)));
    chain.adopt(next);
    const draft = chain.readings();
    expect(await refused(chain, draft)).to.equal("wrong-params");
    // Those that the epoch's version names vote, the removed one too.
    await chain.commit(chain.readings({}, chain.reports(), first), { voters: [0, 1, 3] });
    const strangers = { voters: [0, 1, 3], lastVoter: (next.da[3] as { key: Uint8Array }).key };
    expect(await refused(chain, chain.readings({ k: 1 }, chain.reports(), first), strangers)).to.equal("bad-signature");
  });
});

describe("a readings block in completeness mode sum", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startedChain({ completeness: "sum" });
    await chain.commit(chain.epoch());
  });

  it("is complete where the sum of its PRIDs is", async () => {
    const filter = (await chain.view.epochAt(1, periodAt(0)))?.epoch.bf2 as Uint8Array;
    expect(new BloomFilter(filter, "veilgrid/1/bf2", 20).bits.length).to.equal(11);
    await chain.commit(chain.readings());
    expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: false, count: 12 });
  });

  it("counts a PRID once that stands twice", async () => {
    const [own, ...others] = chain.reports() as [Report, ...Report[]];
    await chain.commit(chain.readings({}, [reported(own.meter, own.consumption, [1, 2]), ...others]));
    expect(await chain.view.readings(1, periodAt(0))).to.deep.include({ aggFault: false, count: 13 });
  });

  it("is a fault where a half is missing", async () => {
    const [own, ...others] = chain.reports() as [Report, ...Report[]];
    const draft = chain.readings({}, [reported(own.meter, own.consumption, [1, 0]), ...others]);
    expect(await refused(chain, { ...draft, aggFault: false })).to.equal("wrong-agg-fault");
    await chain.commit(draft);
  });

  it("is a fault where it is empty: nothing has no sum", async () => {
    expect(await refused(chain, { ...chain.readings({}, []), aggFault: false })).to.equal("wrong-agg-fault");
    await chain.commit(chain.readings({}, []));
  });
});
