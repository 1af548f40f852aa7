import { expect } from "chai";
import { BASIS, BloomFilter, compareBytes, pridSum, schnorr, toHex, type Params } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { pridList } from "../../src/consortium/epochs.js";
import { pricesDraft } from "../../src/consortium/issued.js";
import { signedLeaf } from "../../src/consortium/meters.js";
import { refused } from "../../src/consortium/refused.js";
import { Aggregators, outcome } from "../../src/paper/aggregators.js";
import { nullTriple, type NullTriple } from "../../src/paper/null-triple.js";
import { encodeBodies, proposalOf } from "../../src/paper/proposals.js";

/*
 * The paper (section 5, Filter generation e; Data aggregation, steps 2 to 4): whoever passes BF_1 is authentic, and a
 * period is complete if the product T of its PRIDs passes BF_2.
 * Ours (PROTOCOL section 4): the aggregators hold the exact list and the ledger its commitment S. The paper's way is kept
 * as completeness mode `sum` and release mode `upfront`, so that it can be attacked here as it is. That T does not change
 * is in protocol/test/prids.test.ts, too; here it gets as far as the price.
 */

/** One false positive in seven stands for the paper's filter: the search is the same, only shorter. */
const SHAPE = { bitsPerElement: 4, indices: 3 };

async function chainOf(modes: Pick<Params, "completeness" | "release">): Promise<Chain> {
  const chain = await startedChain({ ...SHAPE, ...modes });
  await chain.commit(chain.epoch());
  return chain;
}

/** Keys of nobody that pass the first period's BF_1. */
async function groundFor(chain: Chain): Promise<NullTriple> {
  const { bf1 } = (await chain.view.epochAt(1, periodAt(0)))?.epoch.entries[0] ?? {};
  return nullTriple(new BloomFilter(bf1 as Uint8Array, "veilgrid/1/bf1", SHAPE.indices));
}

function foreignLeaves(chain: Chain, { secrets }: NullTriple): Uint8Array[] {
  return secrets.map((secret) => signedLeaf(chain.place(), { secret, prid: schnorr.publicKey(secret) }, 7_000n));
}

/** The period's block with three readings of nobody, which says that nothing is wrong. */
function stuffed(chain: Chain, foreign: readonly Uint8Array[]): Draft {
  const { leaves, ...draft } = chain.readings();
  return { ...draft, aggFault: false, leaves: [...leaves, ...foreign].sort(compareBytes) };
}

describe("H3: completeness by a sum", () => {
  it("the paper's rule gives way", async () => {
    const chain = await chainOf({ completeness: "sum", release: "upfront" });
    const triple = await groundFor(chain);
    expect(triple.tried).to.equal(81);
    const foreign = foreignLeaves(chain, triple);
    const own = pridList(chain.meters, chain.place());
    const all = [...own, ...foreign.map((leaf) => leaf.subarray(0, 32))];
    expect(toHex(pridSum(all) as Uint8Array)).to.equal(toHex(pridSum(own) as Uint8Array));
    // Fifteen readings of six meters pass as complete, and 21 kWh of nobody are priced with the 2.1 of the region.
    const { cbh } = await chain.commit(stuffed(chain, foreign));
    expect(await chain.view.readings(1, periodAt(0))).to.include({ count: 15, aggFault: false });
    const { region, period } = chain.place();
    const price = { region, period, cbh, price: 250_000n, basis: BASIS.measured, consumption: 23_100n };
    await chain.commit(chain.at(pricesDraft(chain.issuing, [price])));
    expect((await chain.view.price(1, period))?.consumption).to.equal(23_100n);
  });

  describe("ours holds", () => {
    let chain: Chain;
    let foreign: Uint8Array[];

    before(async () => {
      chain = await chainOf({ completeness: "set", release: "after-commit" });
      foreign = foreignLeaves(chain, await groundFor(chain));
    });

    it("on the ledger, where the set is another", async () => {
      expect(await refused(chain, stuffed(chain, foreign))).to.equal("wrong-agg-fault");
    });

    it("at the aggregators, who ack no foreign key and vote for none", async () => {
      const aggregators = await Aggregators.over(chain.on(chain.ledger.copy()));
      const { opens, freezes } = aggregators.window(0);
      await aggregators.clock.run(opens);
      const readings = aggregators.signed({}, foreign);
      const asked = readings.map((reading) => aggregators.ask(1, "reading", reading));
      await aggregators.seconds(1);
      expect(asked.map(outcome)).to.deep.equal(["unknown-prid", "unknown-prid", "unknown-prid"]);
      // The leader, who is on the foreigners' side, says openly that there is a fault, and hands their readings out.
      aggregators.replace(0, (method, _request, reply) => {
        if (method === "bodies") reply(encodeBodies(readings));
        return Promise.resolve();
      });
      await aggregators.clock.run(freezes);
      const votesFor = async (leaves: readonly Uint8Array[]): Promise<string[]> => {
        const sealed = await chain.seal({ ...chain.readings({}, []), ts: BigInt(freezes), leaves });
        const proposal = proposalOf(aggregators, sealed);
        const votes = [1, 2, 3].map((da) => aggregators.ask(da, "propose", proposal, "da/Da0"));
        await aggregators.seconds(1);
        return votes.map(outcome);
      };
      expect(await votesFor([...foreign].sort(compareBytes))).to.deep.equal(["bad-block", "bad-block", "bad-block"]);
      expect(await votesFor([])).to.deep.equal(["accepted", "accepted", "accepted"]);
    });
  });
});
