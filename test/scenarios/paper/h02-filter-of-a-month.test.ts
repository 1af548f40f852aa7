import { expect } from "chai";
import { compareBytes } from "@veilgrid/protocol";
import { startedChain, type Chain } from "../../src/consortium/chain.js";
import { signedLeaf, type Half, type Meter } from "../../src/consortium/meters.js";
import { refused } from "../../src/consortium/refused.js";
import { Aggregators, outcome } from "../../src/paper/aggregators.js";
import { paperAccepts, paperFilter, paperTransaction } from "../../src/paper/transactions.js";

/*
 * The paper (section 5, Filter generation c, d; Data aggregation d, steps 1 and 2): one BF_1 holds the PRIDs of all
 * periods and regions of a month, and what a meter signs is (rc, ts).
 * Ours (PROTOCOL sections 4 and 7): a filter and a list for each region and period; the signature binds both.
 */

/** Periods that the month of these tests has: enough to see what passes. */
const PERIODS = 8;

/** Both halves' keys of all periods, as whoever opened that meter has them. */
function keysOf(chain: Chain, meter: Meter): Half[] {
  return Array.from({ length: PERIODS }, (_, k) => meter.halves(chain.place({ k }))).flat();
}

describe("H2: one filter a month", () => {
  let chain: Chain;
  let keys: readonly Half[];

  before(async () => {
    chain = await startedChain({}, 5);
    await chain.commit(chain.epoch({ periods: PERIODS }));
    keys = keysOf(chain, chain.meters[0] as Meter);
  });

  it("the paper's rule gives way", () => {
    const places = Array.from({ length: PERIODS }, (_, k) => chain.place({ k }));
    const filter = paperFilter(chain.meters, places);
    const window = [1_000n, 2_000n] as const;
    // A key of any period stands in this one: a meter has sixteen voices instead of two.
    const stuffed = keys.map((key) => paperTransaction(key, 5_000n, 1_500n));
    expect(stuffed.filter((tx) => paperAccepts(filter, tx, window))).to.have.length(16);
    // And what a DA has seen for one region, it hands in for another: no key is needed at all.
    const seen = paperTransaction(keys[0] as Half, 5_000n, 1_500n);
    const regions = [1, 2, 3].filter(() => paperAccepts(filter, seen, window));
    expect(regions).to.deep.equal([1, 2, 3]);
  });

  describe("ours holds", () => {
    it("at the aggregators, which ack two readings of a meter", async () => {
      const aggregators = await Aggregators.over(chain.on(chain.ledger.copy()));
      await aggregators.clock.run(aggregators.window(0).opens);
      const leaves = keys.map((key) => signedLeaf(chain.place(), key, 5_000n));
      const asked = aggregators.signed({}, leaves).map((reading) => aggregators.ask(1, "reading", reading));
      await aggregators.seconds(1);
      const refusals = Array.from({ length: 14 }, () => "unknown-prid");
      expect(asked.map(outcome)).to.deep.equal(["accepted", "accepted", ...refusals]);
    });

    it("on the ledger, whose filter is the period's", async () => {
      const foreign = signedLeaf(chain.place(), keys[2] as Half, 5_000n);
      const { leaves, ...draft } = chain.readings();
      const stuffed = { ...draft, leaves: [...leaves, foreign].sort(compareBytes) };
      expect(await refused(chain, stuffed)).to.equal("not-in-filter");
    });

    it("against a reading that was signed for another region or period", async () => {
      const own = keys[0] as Half;
      for (const at of [{ region: 2 }, { k: 1 }]) {
        // Even under a PRID that counts here.
        const moved = signedLeaf(chain.place(at), own, 5_000n);
        const { leaves, ...draft } = chain.readings({}, chain.reports().slice(1));
        const block = { ...draft, leaves: [...leaves, moved].sort(compareBytes) };
        expect(await refused(chain, block)).to.equal("bad-signature");
      }
    });
  });
});
