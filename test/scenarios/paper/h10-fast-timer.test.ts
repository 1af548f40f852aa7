import { expect } from "chai";
import { verifyElection } from "@veilgrid/protocol";
import { SeededRandom } from "@veilgrid/gateway";
import { electionCertificate } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { aggregators } from "../../src/consortium/members.js";
import { refusalOf } from "../../src/consortium/refused.js";
import { Aggregators } from "../../src/paper/aggregators.js";
import { tableThree } from "../../src/paper/table-3.js";
import { hoardVotes } from "../../src/paper/vote-hoarder.js";

/*
 * The paper (section 5, table 3): whose random timeout ends first is the candidate, and everybody votes for everybody; there
 * is no term. A leader that does nothing is followed by the next election.
 * Ours (PROTOCOL section 4, Consensus): terms go up one at a time by Q timeouts, a DA votes once in a term and never for one
 * of the last f leaders, and the ledger decides.
 */

const random = SeededRandom.of("timers");
/** An honest DA's timeout: 150 to 300 ms. */
const honest = (da: number, election: number): number => 150 + random.below(151, "timeout", da, election);
/** Who draws nothing, is always first, and does nothing when it leads. */
const MALICIOUS = 3;

describe("H10: a fast timer", () => {
  it("the paper's rule gives way", () => {
    const fast = (da: number, election: number): number => (da === MALICIOUS ? 0 : honest(da, election));
    const leaders = tableThree(5, 100, fast, 20).flat();
    expect(leaders).to.have.length(100);
    expect(leaders.filter((da) => da !== MALICIOUS)).to.deep.equal([]);
    // Nobody needs to be malicious for two leaders: two timers that end within the time of one message are enough.
    const doubled = tableThree(5, 100, honest, 20).filter((elected) => elected.length > 1);
    expect(doubled).to.have.length(49);
  });

  describe("ours holds", () => {
    async function chainOf(members: number): Promise<Chain> {
      const chain = await startedChain({ da: aggregators(members) });
      await chain.commit(chain.epoch());
      return chain;
    }

    /** Whom the ledger names for each term so far, by index; none where nobody was elected. */
    async function leadersOf({ chain: { view, params, consortium } }: Aggregators): Promise<(number | undefined)[]> {
      const { term: last } = await view.term();
      const leaders: (number | undefined)[] = [];
      for (let term = 1n; term <= last; term += 1n) {
        const certificate = await view.election(term);
        leaders.push(certificate && verifyElection(consortium, params, certificate).candidate);
      }
      return leaders;
    }

    it("against a fast timer: it takes Q of them to end a term", async () => {
      const grid = await Aggregators.over(await chainOf(4), { [MALICIOUS]: { options: { timerMs: 1 } } });
      await grid.clock.run(grid.window(1).freezes + 60_000);
      expect(await grid.chain.view.readings(1, periodAt(1))).to.include({ count: 0 });
      expect(await leadersOf(grid)).to.deep.equal([0]);
    });

    it("against a candidate that is always first: it has every second term, even if none bears fruit", async () => {
      const first = { bytes: random.bytes.bind(random), below: () => 0 };
      const grid = await Aggregators.over(await chainOf(4), { [MALICIOUS]: { random: first } });
      const lift = grid.network.drop(({ method }) => method === "propose");
      await grid.clock.run(grid.window(0).freezes + 3_600_000);
      const leaders = await leadersOf(grid);
      const others = leaders.filter((da) => da !== undefined && da !== MALICIOUS);
      expect(leaders.length).to.be.at.least(10);
      expect(others.length / leaders.length).to.be.within(0.5, 0.6);
      // Where the others' proposals are heard again, the period's block is in within a term and a half.
      lift();
      grid.network.drop(({ method, from }) => method === "propose" && from === `da/Da${MALICIOUS}`);
      await grid.clock.run(grid.clock.now() + 15 * 60_000);
      expect(await grid.chain.view.readings(1, periodAt(0))).to.include({ count: 0 });
    });

    it("against a candidate that keeps the votes it gets: the next term is another's", async () => {
      // Two of seven are faulty: the leader, which is dead, and the hoarder.
      const grid = await Aggregators.over(await chainOf(7));
      grid.replace(0);
      const hoarded = hoardVotes(grid, MALICIOUS);
      await grid.clock.run(grid.window(0).freezes + 180_000);
      expect(new Set(hoarded)).to.deep.equal(new Set([2n]));
      const [first, kept, next, ...more] = await leadersOf(grid);
      expect([first, kept, more]).to.deep.equal([0, undefined, []]);
      expect([0, MALICIOUS, undefined]).not.to.include(next);
      expect(await grid.chain.view.readings(1, periodAt(0))).to.include({ count: 0 });
    });

    it("against two leaders in a term: the ledger has the first", async () => {
      const chain = await chainOf(4);
      const certificate = (candidate: number): Uint8Array =>
        electionCertificate(chain.consortium, chain.params, { term: 2n, candidate });
      await chain.ledger.submitElection(certificate(1));
      const second = (): Promise<void> => chain.ledger.submitElection(certificate(2));
      expect((await refusalOf(chain.ledger, second)).code).to.equal("stale-term");
    });
  });
});
