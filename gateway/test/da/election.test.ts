import { expect } from "chai";
import {
  ANSWER,
  VeilgridError,
  answerCodec,
  decodeSigned,
  electionCodec,
  encodeCertificate,
  encodeSigned,
  schnorr,
  signStruct,
  timeoutCodec,
  toHex,
} from "@veilgrid/protocol";
import { decodeResponse } from "../../src/transport/envelopes.js";
import { SECRETS, paramsOf, secretOf } from "../support/committee.js";
import { FIRST, Grid, outcome, outcomes, type Asked } from "./grid.js";

function request(
  grid: Grid,
  term: bigint,
  candidate: number,
  secret = SECRETS.da[candidate] as Uint8Array,
  voter = candidate,
): Uint8Array {
  return encodeSigned(
    signStruct("election", grid.consortium, electionCodec, { params: 1, term, candidate, voter }, secret),
  );
}

function timeout(grid: Grid, term: bigint, da: number, secret = SECRETS.da[da] as Uint8Array): Uint8Array {
  return encodeSigned(signStruct("timeout", grid.consortium, timeoutCodec, { params: 1, term, da }, secret));
}

function candidateOf({ response }: Asked): number {
  const decoded = decodeResponse(response as Uint8Array);
  if (decoded.tag !== "accepted") throw new Error("no vote");
  return decodeSigned(electionCodec, decoded.body).body.candidate;
}

/** Puts a DA into a term by Q timeouts of the term before. */
async function pushInto(grid: Grid, da: number, term: bigint): Promise<void> {
  for (const sender of [0, 1, 2, 3].filter((index) => index !== da)) {
    grid.ask(da, "timeout", timeout(grid, term - 1n, sender), `da/Da${da}`);
  }
  await grid.seconds(1);
}

describe("leader election", () => {
  it("waits in term 0 until something is due", async () => {
    const grid = await new Grid().start();
    await grid.seconds(3_600);
    expect((await grid.view.term()).term).to.equal(0n);
    expect(grid.clock.waiting).to.equal(0);
  });

  it("begins at once when something is first due, and term 1 has one leader", async () => {
    const grid = await new Grid().start();
    await grid.commitEpoch();
    const { term, leader } = await grid.view.term();
    expect(term).to.equal(1n);
    const leading = [0, 1, 2, 3].filter((da) => grid.aggregator(da).standing.role === "leader");
    expect(leading).to.deep.equal([await grid.leader()]);
    expect(toHex(leader as Uint8Array)).to.equal(toHex(grid.aggregator(leading[0] as number).key));
  });

  it("names the same leader in a repeated run, and not always the same DA", async () => {
    const leaderOf = async (seed: number): Promise<number> => {
      const grid = await new Grid({ seed }).start();
      await grid.commitEpoch(1, 1);
      return grid.leader();
    };
    expect(await leaderOf(5)).to.equal(await leaderOf(5));
    const leaders = new Set<number>();
    for (let seed = 1; seed <= 6; seed += 1) leaders.add(await leaderOf(seed));
    expect(leaders.size).to.be.greaterThan(1);
  });

  it("replaces a leader that is gone, by another", async () => {
    const grid = await new Grid().start();
    await grid.commitEpoch();
    const first = await grid.leader();
    grid.kill(first);
    await grid.run(grid.window(FIRST).freezes);
    await grid.until(async () => (await grid.view.readings(1, FIRST)) !== undefined, 60);
    expect((await grid.view.term()).term).to.equal(2n);
    expect(await grid.leader()).not.to.equal(first);
  });

  it("uses no term up while fewer than Q run, and goes on when one is back", async () => {
    const grid = await new Grid().start();
    await grid.commitEpoch();
    const leader = await grid.leader();
    const other = (leader + 1) % 4;
    grid.kill(leader);
    grid.kill(other);
    await grid.run(grid.window(FIRST).freezes + 3 * 3_600_000);
    const running = [0, 1, 2, 3].filter((da) => da !== leader && da !== other);
    expect(running.map((da) => grid.aggregator(da).standing.term)).to.deep.equal([1n, 1n]);
    expect(running.map((da) => grid.aggregator(da).standing.busy)).to.deep.equal([true, true]);
    expect(await grid.view.readings(1, FIRST)).to.equal(undefined);
    await grid.boot(other);
    await grid.until(async () => (await grid.view.readings(1, FIRST)) !== undefined, 120);
    expect((await grid.view.term()).term).to.equal(2n);
  });

  it("brings who was away into the term of the others", async () => {
    const grid = await new Grid().start([3]);
    await grid.commitEpoch();
    for (const term of [1n, 2n]) for (const da of [0, 1, 2]) await pushInto(grid, da, term + 1n);
    await grid.boot(3);
    expect(grid.aggregator(3).standing.term).to.equal(1n);
    // It hears a timeout of a later term, asks for the certificate and is there.
    grid.ask(3, "timeout", timeout(grid, 3n, 0), "da/Da0");
    await grid.seconds(1);
    expect(grid.aggregator(3).standing.term).to.equal(3n);
  });

  describe("a vote", () => {
    let grid: Grid;
    beforeEach(async () => {
      grid = await new Grid().start();
      // Nothing is due, so nobody stands by itself.
      await pushInto(grid, 0, 1n);
      expect(grid.aggregator(0).standing.term).to.equal(1n);
    });

    async function elect(bytes: Uint8Array, from = "da/Da1"): Promise<Asked> {
      const asked = grid.ask(0, "elect", bytes, from);
      await grid.seconds(1);
      return asked;
    }

    it("is given once in a term, and the same again to the same", async () => {
      const first = await elect(request(grid, 1n, 1));
      expect(candidateOf(first)).to.equal(1);
      expect(outcome(await elect(request(grid, 1n, 2)))).to.equal("wrong-round");
      expect((await elect(request(grid, 1n, 1))).response).to.deep.equal(first.response);
    });

    it("is on disk before it is sent", async () => {
      await elect(request(grid, 1n, 1));
      grid.kill(0);
      await grid.boot(0);
      expect(grid.aggregator(0).standing.term).to.equal(1n);
      expect(outcome(await elect(request(grid, 1n, 2)))).to.equal("wrong-round");
      expect(candidateOf(await elect(request(grid, 1n, 1)))).to.equal(1);
    });

    it("is not given again, for f terms, to who had it and did not become the leader", async () => {
      expect(candidateOf(await elect(request(grid, 1n, 1)))).to.equal(1);
      await pushInto(grid, 0, 2n);
      grid.kill(0);
      await grid.boot(0);
      expect(outcome(await elect(request(grid, 2n, 1)))).to.equal("unknown-leader");
      expect(candidateOf(await elect(request(grid, 2n, 2)))).to.equal(2);
      await pushInto(grid, 0, 3n);
      expect(outcome(await elect(request(grid, 3n, 2)))).to.equal("unknown-leader");
      expect(candidateOf(await elect(request(grid, 3n, 1)))).to.equal(1);
    });

    it("cannot be had ahead, without the timeouts that lead there", async () => {
      expect(outcome(await elect(request(grid, 2n, 1)))).to.equal("stale-term");
      expect(outcome(await elect(request(grid, 1n << 60n, 1)))).to.equal("stale-term");
    });

    it("can be had by a candidate that shows them", async () => {
      await pushInto(grid, 1, 1n);
      await pushInto(grid, 1, 2n);
      expect(candidateOf(await elect(request(grid, 2n, 1)))).to.equal(1);
      expect(grid.aggregator(0).standing.term).to.equal(2n);
    });

    it("is refused to an older term, another's signature, another version and who asks for another", async () => {
      await pushInto(grid, 0, 2n);
      expect(outcome(await elect(request(grid, 1n, 1)))).to.equal("stale-term");
      expect(outcome(await elect(request(grid, 2n, 1, SECRETS.da[2])))).to.equal("bad-signature");
      expect(outcome(await elect(request(grid, 2n, 1, SECRETS.da[2], 2)))).to.equal("bad-signature");
      const body = { params: 2, term: 2n, candidate: 1, voter: 1 };
      const other = signStruct("election", grid.consortium, electionCodec, body, SECRETS.da[1] as Uint8Array);
      expect(outcome(await elect(encodeSigned(other)))).to.equal("unknown-params");
      expect(outcome(await elect(new Uint8Array(76)))).to.equal("malformed");
    });
  });

  it("gives no vote to one of the last f leaders, nor one for a term that has a leader", async () => {
    const grid = await new Grid().start();
    await grid.commitEpoch();
    const leader = await grid.leader();
    const da = (leader + 1) % 4;
    const rival = (leader + 2) % 4;
    const taken = grid.ask(da, "elect", request(grid, 1n, rival), `da/Da${rival}`);
    await pushInto(grid, da, 2n);
    const again = grid.ask(da, "elect", request(grid, 2n, leader), `da/Da${leader}`);
    await grid.seconds(1);
    expect([outcome(taken), outcome(again)]).to.deep.equal(["stale-term", "unknown-leader"]);
  });

  describe("a timeout", () => {
    it("counts only signed, for the current version, once a DA", async () => {
      const grid = await new Grid().start();
      const forged = grid.ask(0, "timeout", timeout(grid, 0n, 1, SECRETS.da[2]), "da/Da1");
      const foreign = grid.ask(0, "timeout", timeout(grid, 0n, 9, secretOf("nobody")), "da/Da1");
      for (let i = 0; i < 4; i += 1) grid.ask(0, "timeout", timeout(grid, 0n, 1), "da/Da1");
      grid.ask(0, "timeout", timeout(grid, 0n, 2), "da/Da2");
      await grid.seconds(1);
      expect([outcome(forged), outcome(foreign)]).to.deep.equal(["bad-signature", "bad-signature"]);
      expect(grid.aggregator(0).standing.term).to.equal(0n);
      grid.ask(0, "timeout", timeout(grid, 0n, 3), "da/Da3");
      await grid.seconds(1);
      expect(grid.aggregator(0).standing.term).to.equal(1n);
    });

    it("of an older term is answered so, and the certificate is shown", async () => {
      const grid = await new Grid().start();
      await pushInto(grid, 0, 1n);
      const stale = grid.ask(0, "timeout", timeout(grid, 0n, 1), "da/Da1");
      const shown = grid.ask(0, "timeouts", new Uint8Array(), "da/Da1");
      await grid.seconds(1);
      const decoded = decodeResponse(stale.response as Uint8Array);
      if (decoded.tag !== "answer") throw new Error("no answer");
      expect(answerCodec.decode(decoded.answer).code).to.equal(ANSWER["stale-term"]);
      const certificate = encodeCertificate([1, 2, 3].map((da) => decodeSigned(timeoutCodec, timeout(grid, 0n, da))));
      expect(decodeResponse(shown.response as Uint8Array)).to.deep.equal({ tag: "accepted", body: certificate });
    });
  });

  it("is settled by the ledger: a certificate that fails is submitted again", async () => {
    const grid = await new Grid().start();
    grid.ledger.failure = new VeilgridError("ledger-unavailable", "no endorsers", { blame: "operator", retry: true });
    const messages = grid.epoch(1, FIRST, 1, 5);
    grid.all("transaction", messages.transaction);
    await grid.seconds(1);
    grid.all("lists", messages.lists);
    await grid.seconds(15);
    expect((await grid.view.term()).term).to.equal(0n);
    grid.ledger.failure = undefined;
    await grid.until(async () => (await grid.view.epochAt(1, FIRST)) !== undefined, 120);
  });

  it("works for one aggregator alone, and for seven with two down", async () => {
    const sizes = [
      { members: 1, down: [] },
      { members: 7, down: [1, 4] },
    ];
    for (const { members, down } of sizes) {
      const da = Array.from({ length: members }, (_, i) => ({
        msp: `Da${i}`,
        key: schnorr.publicKey(secretOf(`da${i}`)),
      }));
      const grid = await new Grid({ params: paramsOf({ da }) }).start(down);
      await grid.commitEpoch();
      await grid.run(grid.window(FIRST).opens);
      const up = [...da.keys()].filter((index) => !down.some((other) => other === index));
      const asked = grid.sendAll(1, FIRST, 5, up);
      await grid.run(grid.window(FIRST).freezes + 30_000);
      expect(outcomes(asked), `${members} members`).to.deep.equal({ accepted: 10 });
      expect((await grid.view.readings(1, FIRST))?.count, `${members} members`).to.equal(10);
    }
  });
});
