import { expect } from "chai";
import type { Draft, SealedBlock } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { aggregators, secretOf } from "../../src/consortium/members.js";
import { refusalOf } from "../../src/consortium/refused.js";
import { Aggregators, outcome, type Asked } from "../../src/paper/aggregators.js";
import { proposalOf, votesIn, withVotes } from "../../src/paper/proposals.js";
import { paperAdds, paperVote } from "../../src/paper/votes.js";

/*
 * The paper (section 5, Consensus, leader and step after E): a vote signs (BlockVerStatus, rnd, ts), and nothing keeps a
 * DA from voting twice in a term.
 * Ours (PROTOCOL sections 4 and 7): a vote names chain, number, term, round and the block's hash; a DA gives one for each
 * of these places and keeps it on disk before it says it.
 */

const OTHERS = [1, 2, 3];

describe("H4: votes that name no block", () => {
  let chain: Chain;

  before(async () => {
    chain = await startedChain();
    await chain.commit(chain.epoch());
  });

  /** The block that was voted for, and the one without the first meter. */
  function blocks(): [Draft, Draft] {
    const [, ...others] = chain.reports();
    return [chain.readings(), chain.readings({}, others)];
  }

  it("the paper's rule gives way", async () => {
    // Five DAs, one of them malicious: the leader. The four others have looked at the whole block, and at no other one.
    const [, ...voters] = aggregators(5);
    const votes = voters.map(({ key }) => paperVote(secretOf(key), 77n, 1_000n));
    const added: number[] = [];
    for (const draft of blocks()) {
      const { header } = await chain.seal(draft);
      if (paperAdds(77n, votes, 1)) added.push(header.count);
    }
    expect(added, "readings in the blocks that the votes add").to.deep.equal([12, 10]);
    // Nor does it take the same votes: for another rnd the same DAs vote again.
    const again = voters.map(({ key }) => paperVote(secretOf(key), 78n, 1_001n));
    expect(paperAdds(78n, again, 1)).to.equal(true);
  });

  describe("ours holds", () => {
    let grid: Aggregators;
    let whole: SealedBlock;
    let votes: Asked[];

    async function propose(sealed: SealedBlock): Promise<Asked[]> {
      const asked = OTHERS.map((da) => grid.ask(da, "propose", proposalOf(grid, sealed), "da/Da0"));
      await grid.seconds(1);
      return asked;
    }

    before(async () => {
      grid = await Aggregators.over(chain.on(chain.ledger.copy()));
      grid.replace(0);
      const { opens, freezes } = grid.window(0);
      await grid.clock.run(opens);
      const [draft] = blocks();
      const readings = grid.signed({}, draft.leaves);
      for (const reading of readings) grid.ask(1, "reading", reading);
      await grid.clock.run(freezes);
      whole = await grid.chain.seal({ ...draft, ts: BigInt(freezes) });
      votes = await propose(whole);
    });

    it("on the ledger, where the votes are for that block and no other", async () => {
      expect(votes.map(outcome)).to.deep.equal(["accepted", "accepted", "accepted"]);
      const { ledger } = grid.chain;
      const other = await grid.chain.seal({ ...blocks()[1], ts: whole.header.ts });
      const forged = withVotes(other, votesIn(votes));
      expect((await refusalOf(ledger, () => grid.chain.submit(forged))).code).to.equal("other-block");
      // With the block that they name they are good.
      const copy = chain.on(grid.chain.ledger.copy());
      await copy.submit(withVotes(whole, votesIn(votes)));
      expect((await copy.view.readings(1, periodAt(0)))?.count).to.equal(12);
    });

    it("at the aggregators, who vote once in a round", async () => {
      const later = await grid.chain.seal({ ...blocks()[0], ts: whole.header.ts + 1n });
      expect((await propose(later)).map(outcome)).to.deep.equal(["wrong-round", "wrong-round", "wrong-round"]);
      // The same again is the same vote again.
      expect(votesIn(await propose(whole)).map(({ sig }) => sig)).to.deep.equal(votesIn(votes).map(({ sig }) => sig));
    });
  });
});
