import { expect } from "chai";
import {
  answerCodec,
  compareBytes,
  decodeSigned,
  incompleteCodec,
  readingLeaf,
  toHex,
  voteCodec,
  type Vote,
} from "@veilgrid/protocol";
import { decodeBodiesWish, decodeResponse, encodeAccepted, type BodiesWish } from "../../src/transport/envelopes.js";
import { readingsProposal, type Forgery } from "./forge.js";
import { FIRST, Grid, outcome, type Asked } from "./grid.js";

function voteIn({ response }: Asked): Vote {
  const decoded = decodeResponse(response as Uint8Array);
  if (decoded.tag !== "accepted") throw new Error(`no vote but ${decoded.tag}`);
  return decodeSigned(voteCodec, decoded.body).body;
}

function missingIn({ response }: Asked): string[] {
  const decoded = decodeResponse(response as Uint8Array);
  if (decoded.tag !== "incomplete") throw new Error(`not incomplete but ${decoded.tag}`);
  return decodeSigned(incompleteCodec, decoded.body).body.missing.map(toHex);
}

/**
 * One aggregator judges what its leader proposes. The leader's process is gone, its key is in the test's hands; the
 * others keep still, because their forwards and their timeouts are lost.
 */
describe("a voter", () => {
  let grid: Grid;
  let leader: number;
  let voter: number;
  /** All halves of five meters. */
  let readings: Uint8Array[];
  beforeEach(async () => {
    grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    leader = await grid.leader();
    voter = (leader + 1) % 4;
    await grid.run(grid.window(FIRST).opens);
    grid.sendAll(1, FIRST, 5);
    await grid.seconds(2);
    readings = Array.from({ length: 10 }, (_, i) => grid.reading(1, FIRST, i >> 1, i & 1));
    for (const index of [0, 1, 2, 3]) if (index !== voter) grid.kill(index);
    await grid.run(grid.window(FIRST).freezes);
  });

  /** As another DA, for the leader is down: the signature says whose it is. */
  async function propose(bytes: Uint8Array): Promise<Asked> {
    const asked = grid.ask(voter, "propose", bytes, `da/Da${voter}`);
    await grid.seconds(1);
    return asked;
  }

  async function judged(list: readonly Uint8Array[], forgery: Forgery = {}): Promise<Asked> {
    return propose(await readingsProposal(grid, list, forgery));
  }

  it("votes for the block of everything that it acked", async () => {
    const vote = voteIn(await judged(readings));
    expect(vote).to.deep.include({ params: 1, region: 1, number: 2n, term: 1n, round: 0, da: voter });
  });

  it("votes once in a round, whatever else its leader proposes there, and after a restart too", async () => {
    const proposal = await readingsProposal(grid, readings);
    const first = await propose(proposal);
    const rival = await readingsProposal(grid, readings, { header: { ts: BigInt(grid.clock.now() + 7) } });
    expect(outcome(await propose(rival))).to.equal("wrong-round");
    expect((await propose(proposal)).response).to.deep.equal(first.response);
    grid.kill(voter);
    await grid.boot(voter);
    expect(outcome(await propose(rival))).to.equal("wrong-round");
    expect((await propose(proposal)).response).to.deep.equal(first.response);
  });

  it("goes up with the rounds and never back", async () => {
    expect(voteIn(await judged(readings, { header: { round: 3 } })).round).to.equal(3);
    expect(outcome(await judged(readings, { header: { round: 2 } }))).to.equal("wrong-round");
    expect(voteIn(await judged(readings, { header: { round: 4 } })).round).to.equal(4);
  });

  it("names what it acked and the block leaves out, ascending", async () => {
    const left = [readings[3], readings[7]] as Uint8Array[];
    const asked = await judged(readings.filter((reading) => !left.includes(reading)));
    const leaves = left.map(readingLeaf).sort(compareBytes);
    expect(missingIn(asked)).to.deep.equal(leaves.map(toHex));
    // It has not voted: a block of the same round may still have its vote.
    expect(voteIn(await judged(readings)).round).to.equal(0);
  });

  it("is content with two others of the PRID, and not with one", async () => {
    const others = [2n, 3n].map((rc) => grid.reading(1, FIRST, 0, 0, rc));
    const rest = readings.slice(1);
    serveBodies(others);
    expect(missingIn(await judged([...rest, others[0] as Uint8Array]))).to.deep.equal([
      toHex(readingLeaf(readings[0] as Uint8Array)),
    ]);
    expect(voteIn(await judged([...rest, ...others])).da).to.equal(voter);
  });

  /** The leader hands out bodies; gives the wishes that it heard. */
  function serveBodies(bodies: readonly Uint8Array[]): BodiesWish[] {
    const wishes: BodiesWish[] = [];
    grid.network.setUp(`da/Da${leader}`, true);
    grid.network.listen(`da/Da${leader}`, (method, request, reply) => {
      if (method !== "bodies") return Promise.resolve();
      wishes.push(decodeBodiesWish(request));
      reply(encodeAccepted(...bodies));
      return Promise.resolve();
    });
    return wishes;
  }

  describe("without a reading that the leader has", () => {
    let fresh: Uint8Array;
    let before: number;
    beforeEach(async () => {
      // One half never reached the voter.
      grid = await new Grid().start();
      await grid.commitEpoch(1, 4, 5);
      leader = await grid.leader();
      voter = (leader + 1) % 4;
      await grid.run(grid.window(FIRST).opens);
      readings = Array.from({ length: 10 }, (_, i) => grid.reading(1, FIRST, i >> 1, i & 1));
      fresh = readings[9] as Uint8Array;
      for (const reading of readings.slice(0, 9)) grid.ask(voter, "reading", reading);
      await grid.seconds(2);
      for (const index of [0, 1, 2, 3]) if (index !== voter) grid.kill(index);
      await grid.run(grid.window(FIRST).freezes);
      before = await grid.stored(voter);
    });

    it("asks for it, verifies and stores it, and votes", async () => {
      const wishes = serveBodies([fresh]);
      expect(voteIn(await judged(readings)).da).to.equal(voter);
      expect(wishes).to.have.length(1);
      expect(wishes[0]?.hashes).to.have.length(1);
      // The body is stored; the vote takes the place of the one for the epoch.
      expect(await grid.stored(voter)).to.equal(before + 1);
      grid.kill(voter);
      await grid.boot(voter);
      expect(voteIn(await judged(readings, { header: { round: 1 } })).da).to.equal(voter);
      expect(wishes).to.have.length(1);
    });

    it("does not vote if it does not get it, or gets it forged, or another, or not listed", async () => {
      const forged = fresh.slice();
      forged[112] = (forged[112] as number) ^ 1;
      const foreign = grid.reading(1, FIRST, 77, 0);
      for (const bodies of [[], [forged], [readings[0] as Uint8Array]]) {
        serveBodies(bodies);
        expect(outcome(await judged(readings))).to.equal("bad-block");
      }
      serveBodies([foreign]);
      expect(outcome(await judged([...readings.slice(0, 9), foreign]))).to.equal("bad-block");
      serveBodies([Uint8Array.of(1, 2, 3)]);
      expect(outcome(await judged(readings))).to.equal("bad-block");
      expect(await grid.stored(voter)).to.equal(before);
    });

    it("says nothing to a leader that does not answer", async () => {
      expect(outcome(await judged(readings))).to.equal("none");
    });
  });

  it("says that it has not frozen the period, and when it will have", async () => {
    grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    leader = await grid.leader();
    voter = (leader + 1) % 4;
    for (const index of [0, 1, 2, 3]) if (index !== voter) grid.kill(index);
    const { closes, freezes } = grid.window(FIRST);
    await grid.run(closes + 10_000);
    const asked = await judged([]);
    expect(outcome(asked)).to.equal("not-frozen");
    const decoded = decodeResponse(asked.response as Uint8Array);
    if (decoded.tag !== "answer") throw new Error("no answer");
    const { now, retryAfterMs } = answerCodec.decode(decoded.answer);
    expect(Number(now) + retryAfterMs).to.equal(freezes);
  });

  describe("refuses", () => {
    const HALF_MINUTE = 30_000n;

    it("a TS that is not within maxSkew of its clock", async () => {
      for (const skew of [-HALF_MINUTE - 100n, HALF_MINUTE + 100n]) {
        const ts = BigInt(grid.clock.now()) + skew;
        expect(outcome(await judged(readings, { header: { ts } }))).to.equal("bad-time");
      }
    });

    it("a leader that the ledger does not name, and a proposal that the leader did not sign", async () => {
      const rival = (leader + 2) % 4;
      expect(outcome(await judged(readings, { leader: rival }))).to.equal("unknown-leader");
      expect(outcome(await judged(readings, { signer: rival }))).to.equal("bad-signature");
    });

    it("another term: none to come, and none that was", async () => {
      expect(outcome(await judged(readings, { header: { term: 2n } }))).to.equal("unknown-leader");
      const old = await readingsProposal(grid, readings, { header: { round: 9 } });
      for (const index of [0, 1, 2, 3]) if (index !== voter && index !== leader) await grid.boot(index);
      grid.kill(leader);
      const lift = grid.network.drop(({ method }) => method === "propose");
      await grid.until(async () => (await grid.view.term()).term === 2n, 120);
      lift();
      const asked = grid.ask(voter, "propose", old, `da/Da${voter}`);
      await grid.seconds(1);
      expect(outcome(asked)).to.equal("stale-term");
    });

    it("another number, another head, another consortium, another version", async () => {
      const wrong: readonly [Forgery["header"], string][] = [
        [{ number: 1n }, "already-committed"],
        [{ number: 3n }, "busy"],
        [{ prev: new Uint8Array(32) }, "bad-block"],
        [{ consortium: new Uint8Array(32) }, "bad-block"],
        [{ params: 7 }, "unknown-params"],
      ];
      for (const [header, why] of wrong) {
        expect(outcome(await judged(readings, { header: header ?? {} })), why).to.equal(why);
      }
    });

    it("a wrong Merkle root, aggFault bit, hash signature or period", async () => {
      expect(outcome(await judged(readings, { header: { root: new Uint8Array(32) } }))).to.equal("bad-block");
      expect(outcome(await judged(readings, { header: { aggFault: true } }))).to.equal("bad-block");
      expect(outcome(await judged(readings, { scbh: new Uint8Array(64) }))).to.equal("bad-block");
    });

    it("readings in another order", async () => {
      const change: Forgery["change"] = (proposal) => ({
        ...proposal,
        readings: [...(proposal.readings ?? [])].reverse(),
      });
      expect(outcome(await judged(readings, { change }))).to.equal("bad-block");
    });

    it("three readings of one PRID", async () => {
      const others = [2n, 3n].map((rc) => grid.reading(1, FIRST, 0, 0, rc));
      serveBodies(others);
      expect(outcome(await judged([...readings, ...others]))).to.equal("bad-block");
    });

    it("malformed bytes: none, cut, with a rest, too long", async () => {
      const good = await readingsProposal(grid, readings);
      for (const bytes of [new Uint8Array(), good.slice(0, -1), Uint8Array.of(...good, 0), new Uint8Array(2_097_153)]) {
        expect(outcome(await propose(bytes))).to.equal("malformed");
      }
    });
  });
});
