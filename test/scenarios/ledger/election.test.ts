import { expect } from "chai";
import { Writer, consortiumId, fromHex, paramsCodec, toHex, type Transition } from "@veilgrid/protocol";
import { electionCertificate } from "../../src/consortium/blocks.js";
import { daKey, startedChain, type Chain } from "../../src/consortium/chain.js";
import { aggregators, memberOf, paramsOf } from "../../src/consortium/members.js";
import { refusalOf } from "../../src/consortium/refused.js";

type Ballot = Parameters<typeof electionCertificate>[2];

describe("a leader's certificate on the ledger", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startedChain();
  });

  async function refusedCode(
    ballot: Ballot,
    change: (cert: Uint8Array) => Uint8Array = (cert) => cert,
  ): Promise<string> {
    const cert = change(electionCertificate(chain.consortium, chain.params, ballot));
    return (await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert))).code;
  }

  it("makes its candidate the leader of the term", async () => {
    await chain.elect(2n, 3);
    const { term, leader, recent } = await chain.view.term();
    expect([term, leader && toHex(leader)]).to.deep.equal([2n, toHex(daKey(chain.params, 3))]);
    expect(recent.map(toHex)).to.deep.equal([toHex(daKey(chain.params, 3))]);
    const { event } = chain.ledger.last as Transition;
    expect(event.name).to.equal("leader");
    expect(event.payload).to.deep.equal(new Writer().u64(2n).raw(daKey(chain.params, 3)).bytes());
  });

  it("is kept", async () => {
    const cert = electionCertificate(chain.consortium, chain.params, { term: 2n, candidate: 1 });
    await chain.ledger.submitElection(cert);
    expect(await chain.view.election(2n)).to.deep.equal(cert);
    expect(await chain.view.election(3n)).to.equal(undefined);
  });

  it("may leave terms out, in which nobody was elected", async () => {
    await chain.elect(7n, 2);
    expect((await chain.view.term()).term).to.equal(7n);
  });

  it("of a term that the ledger has is refused: the first one decides", async () => {
    expect(await refusedCode({ term: 1n, candidate: 2 })).to.equal("stale-term");
    await chain.elect(5n, 1);
    expect(await refusedCode({ term: 5n, candidate: 2 })).to.equal("stale-term");
    expect(await refusedCode({ term: 4n, candidate: 2 })).to.equal("stale-term");
  });

  it("for one of the last f leaders is refused", async () => {
    expect(await refusedCode({ term: 2n, candidate: 0 })).to.equal("recent-leader");
    await chain.elect(2n, 1);
    await chain.elect(3n, 0);
    expect(await refusedCode({ term: 4n, candidate: 0 })).to.equal("recent-leader");
  });

  it("for one of the last two leaders is refused where f = 2", async () => {
    chain = await startedChain({ da: aggregators(7) });
    await chain.elect(2n, 1);
    expect(await refusedCode({ term: 3n, candidate: 0 })).to.equal("recent-leader");
    expect(await refusedCode({ term: 3n, candidate: 1 })).to.equal("recent-leader");
    await chain.elect(3n, 2);
    await chain.elect(4n, 0);
    expect((await chain.view.term()).recent.map(toHex)).to.deep.equal(
      [0, 2].map((index) => toHex(daKey(chain.params, index))),
    );
  });

  it("may be for the last leader where f = 0", async () => {
    chain = await startedChain({ da: aggregators(1) });
    await chain.elect(2n, 0);
    expect((await chain.view.term()).term).to.equal(2n);
  });

  it("with one vote short is refused", async () => {
    expect(await refusedCode({ term: 2n, candidate: 1, voters: [0, 1] })).to.equal("too-few-votes");
  });

  it("with more votes than the quorum is not the canonical one", async () => {
    expect(await refusedCode({ term: 2n, candidate: 1, voters: [0, 1, 2, 3] })).to.equal("malformed");
  });

  it("with the same aggregator twice is refused", async () => {
    expect(await refusedCode({ term: 2n, candidate: 1, voters: [0, 1, 1] })).to.equal("duplicate-voter");
  });

  it("for a candidate that is none of the aggregators is refused", async () => {
    expect(await refusedCode({ term: 2n, candidate: 4 })).to.equal("not-a-member");
  });

  it("with a forged vote is refused", async () => {
    const forged = (cert: Uint8Array): Uint8Array => cert.with(cert.length - 1, (cert.at(-1) as number) ^ 1);
    expect(await refusedCode({ term: 2n, candidate: 1 }, forged)).to.equal("bad-signature");
  });

  it("of another consortium is refused", async () => {
    const other = consortiumId(paramsCodec.encode(paramsOf({ channel: "another" })));
    const cert = electionCertificate(other, chain.params, { term: 2n, candidate: 1 });
    const error = await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert));
    expect(error.code).to.equal("bad-signature");
  });

  it("that names another version of the parameters is refused", async () => {
    const params = paramsOf({ version: 2 });
    const cert = electionCertificate(chain.consortium, params, { term: 2n, candidate: 1 });
    expect((await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert))).code).to.equal("wrong-params");
  });

  it("by members of another set is refused", async () => {
    const strangers = paramsOf({ da: [0, 1, 2, 3].map((i) => memberOf(`Da${i}`, `stranger ${i}`)) });
    const cert = electionCertificate(chain.consortium, strangers, { term: 2n, candidate: 1 });
    expect((await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert))).code).to.equal("bad-signature");
  });

  it("that is cut, or nothing at all, is refused", async () => {
    for (const cert of [new Uint8Array(), fromHex("00")]) {
      const { code } = await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert));
      expect(["too-few-votes", "malformed"], code).to.include(code);
    }
    expect(await refusedCode({ term: 2n, candidate: 1 }, (cert) => cert.slice(1))).to.equal("malformed");
  });
});
