import { expect } from "chai";
import type { Draft } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { refused } from "../../src/consortium/refused.js";
import { Aggregators, outcome } from "../../src/paper/aggregators.js";
import { paperRound, type PaperAggregator } from "../../src/paper/fault-messages.js";
import { proposalOf } from "../../src/paper/proposals.js";

/*
 * The paper (section 5, Consensus C; Finding faulty meters d): KGCBP looks for a faulty meter if more than 2f + 1 aggregators
 * have sent it a message; no message belongs to a block.
 * Ours (PROTOCOL section 4): `aggFault` is a bit of the block, which follows from its readings; whoever votes for the block
 * has signed it, and the ledger recomputes it.
 */

describe("H11: faults that nobody reports", () => {
  it("the paper's rule gives way", () => {
    // Eight DAs, f = 2: the leader and one other are malicious, and six are honest.
    const [malicious, ...honest] = Array.from({ length: 7 }, (_, i): PaperAggregator => ({ malicious: i === 0 }));
    expect(paperRound([malicious as PaperAggregator, ...honest], 2)).to.deep.equal({ added: true, found: true });
    // A leader that does not ask one of the honest ones has its votes, and five messages are one too few: whichever it is.
    const rounds = honest.map((left) =>
      paperRound([malicious as PaperAggregator, ...honest.filter((da) => da !== left)], 2),
    );
    expect(rounds.filter(({ added }) => added)).to.have.length(6);
    expect(rounds.filter(({ found }) => found)).to.have.length(0);
  });

  describe("ours holds", () => {
    let chain: Chain;

    before(async () => {
      chain = await startedChain();
      await chain.commit(chain.epoch());
    });

    /** A block without the readings of the first meter; it says so, or it does not. */
    function blockWithout(aggFault: boolean): Draft {
      return { ...chain.readings({}, chain.reports().slice(1)), aggFault };
    }

    it("on the ledger, whoever votes", async () => {
      for (const absent of [0, 1, 2, 3]) {
        const voters = [0, 1, 2, 3].filter((da) => da !== absent);
        expect(await refused(chain, blockWithout(false), { voters }), voters.join()).to.equal("wrong-agg-fault");
        const copy = chain.on(chain.ledger.copy());
        const { header } = await copy.commit(blockWithout(true), { voters });
        expect((await copy.view.fault(1, periodAt(0)))?.number, voters.join()).to.equal(header.number);
      }
    });

    it("at the aggregators, none of which votes for a block that hides one", async () => {
      const grid = await Aggregators.over(chain.on(chain.ledger.copy()));
      grid.replace(0);
      await grid.clock.run(grid.window(0).opens);
      for (const reading of grid.signed({}, blockWithout(true).leaves)) grid.ask(1, "reading", reading);
      await grid.clock.run(grid.window(0).freezes);
      const votes = async (aggFault: boolean): Promise<string[]> => {
        const sealed = await grid.chain.seal({ ...blockWithout(aggFault), ts: BigInt(grid.clock.now()) });
        const asked = [1, 2, 3].map((da) => grid.ask(da, "propose", proposalOf(grid, sealed), "da/Da0"));
        await grid.seconds(1);
        return asked.map(outcome);
      };
      expect(await votes(false)).to.deep.equal(["bad-block", "bad-block", "bad-block"]);
      expect(await votes(true)).to.deep.equal(["accepted", "accepted", "accepted"]);
    });
  });
});
