import { expect } from "chai";
import {
  KIND,
  headerCodec,
  merkleRoot,
  toHex,
  type CommittedBlock,
  type CommittedHeader,
  type Transition,
} from "@veilgrid/protocol";
import type { Draft, Forgery } from "../../src/consortium/blocks.js";
import { Chain, daKey, startedChain } from "../../src/consortium/chain.js";
import { pricesDraft } from "../../src/consortium/issued.js";
import { MapLedger } from "../../src/consortium/map-ledger.js";
import { paramsOf } from "../../src/consortium/members.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

/** A ledger on which an epoch, a readings block and a price may each come next; the tests hold for all of them. */
const NEXT: Readonly<Record<string, (chain: Chain) => Draft>> = {
  "an epoch block": (chain) => chain.epoch({ k: 10 }),
  "a readings block": (chain) => chain.readings({ k: 1 }),
  "a block of chain 0": (chain) => chain.at(pricesDraft(chain.issuing, [chain.price({}, UNMEASURED)]), LATE),
};

const UNMEASURED = { basis: 3, consumption: 0n } as const;
const LATE = BigInt(Date.UTC(2013, 3, 1, 1, 45));

describe("consensus on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await startedChain();
    await ready.commit(ready.epoch());
    await ready.settle();
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  for (const [what, draftOf] of Object.entries(NEXT)) {
    describe(what, () => {
      const code = (forgery: Forgery): Promise<string> => refused(chain, draftOf(chain), forgery);

      it("with the votes of Q distinct aggregators is committed", async () => {
        const { header, cbh, block, cert } = await chain.commit(draftOf(chain), { voters: [1, 2, 3] });
        const { region, number } = header;
        const head = await chain.view.head(region);
        expect([head.number, toHex(head.cbh), head.ts]).to.deep.equal([number, toHex(cbh), header.ts]);
        const stored = (await chain.view.block(region, number)) as CommittedBlock;
        expect([toHex(stored.bytes), toHex(stored.cert)]).to.deep.equal([toHex(block), toHex(cert)]);
        const front = (await chain.view.header(region, number)) as CommittedHeader;
        expect([toHex(front.headerBytes), toHex(front.cert)]).to.deep.equal([
          toHex(block.subarray(0, 173)),
          toHex(cert),
        ]);
        expect(toHex(front.scbh)).to.equal(toHex(block.subarray(173, 237)));
        const { event } = chain.ledger.last as Transition;
        expect([event.name, toHex(event.payload)]).to.deep.equal(["block", toHex(headerCodec.encode(header))]);
      });

      it("is taken once", async () => {
        const sealed = await chain.seal(draftOf(chain));
        await chain.submit(sealed);
        expect((await refusalOf(chain.ledger, () => chain.submit(sealed))).code).to.equal("already-committed");
      });

      it("with one vote short is refused", async () => {
        expect(await code({ voters: [0, 1] })).to.equal("too-few-votes");
      });

      it("with the same aggregator twice is refused", async () => {
        expect(await code({ voters: [0, 1, 1] })).to.equal("duplicate-voter");
      });

      it("with more votes than the quorum is refused", async () => {
        expect(await code({ voters: [0, 1, 2, 3] })).to.equal("malformed");
      });

      it("with a vote of somebody who is no aggregator is refused", async () => {
        expect(await code({ voters: [0, 1, 2], lastVoter: chain.params.cc.key })).to.equal("bad-signature");
        expect(await code({ voters: [0, 1, 2], lastVoter: daKey(chain.params, 3) })).to.equal("bad-signature");
      });

      it("with votes for another block is refused", async () => {
        expect(await code({ vote: { cbh: merkleRoot([]) } })).to.equal("other-block");
      });

      it("with votes for another place is refused", async () => {
        const { number } = (await chain.seal(draftOf(chain))).header;
        expect(await code({ vote: { region: 9 } }), "region").to.equal("other-block");
        expect(await code({ vote: { number: number + 1n } }), "number").to.equal("other-block");
        expect(await code({ vote: { term: 2n } }), "term").to.equal("other-block");
        expect(await code({ vote: { round: 1 } }), "round").to.equal("other-block");
        expect(await code({ vote: { params: 2 } }), "params").to.equal("wrong-params");
      });

      it("may be of any round, with the votes of that round", async () => {
        const { header } = await chain.commit(draftOf(chain), { header: { round: 3 } });
        expect(header.round).to.equal(3);
      });

      it("of an older term is refused", async () => {
        const sealed = await chain.seal(draftOf(chain));
        await chain.elect(2n, 1);
        expect((await refusalOf(chain.ledger, () => chain.submit(sealed))).code).to.equal("wrong-term");
      });

      it("of a term that the ledger does not know yet is refused", async () => {
        expect(await code({ header: { term: 2n } })).to.equal("wrong-term");
      });

      it("formed by a non-leader is refused", async () => {
        expect(await code({ header: { leader: daKey(chain.params, 1) } })).to.equal("not-the-leader");
      });

      it("that another sealed in the leader's name is refused", async () => {
        expect(await code({ sealer: daKey(chain.params, 1) })).to.equal("bad-signature");
      });

      it("of another consortium is refused", async () => {
        const other = Chain.of(new MapLedger(), paramsOf({ channel: "another" }));
        expect(await code({ header: { consortium: other.consortium } })).to.equal("wrong-consortium");
      });

      it("out of order is refused", async () => {
        const { number } = (await chain.seal(draftOf(chain))).header;
        expect(await code({ header: { number: number + 1n } })).to.equal("wrong-number");
        if (number > 1n) expect(await code({ header: { number: number - 1n } })).to.equal("wrong-number");
      });

      it("on another head is refused", async () => {
        expect(await code({ header: { prev: merkleRoot([]) } })).to.equal("wrong-previous");
      });

      it("with a wrong Merkle root is refused", async () => {
        expect(await code({ header: { root: merkleRoot([]) } })).to.equal("wrong-root");
      });

      it("that says another number of leaves is refused", async () => {
        const { leaves } = draftOf(chain);
        expect(await code({ header: { count: leaves.length + 1 } })).to.equal("malformed");
      });

      it("of another version of the parameters is refused", async () => {
        // An epoch names its version itself, so that its header contradicts it.
        const isEpoch = draftOf(chain).kind === KIND.epoch;
        expect(await code({ header: { params: 2 } })).to.equal(isEpoch ? "malformed" : "wrong-params");
      });
    });
  }

  it("takes only a later TS on each chain", async () => {
    const { ts } = await chain.view.head(1);
    expect(await refused(chain, { ...chain.epoch({ k: 10 }), ts })).to.equal("time-not-later");
    await chain.commit({ ...chain.epoch({ k: 10 }), ts: ts + 1n });
    // Another chain has its own time.
    expect((await chain.commit({ ...chain.epoch({ region: 2 }), ts: 1n })).header.ts).to.equal(1n);
  });

  it("takes a kind on its own chain only", async () => {
    for (const draftOf of Object.values(NEXT)) {
      const draft = draftOf(chain);
      const elsewhere = await chain.seal(draft, { header: { region: draft.region === 0 ? 1 : 0 } });
      const error = await refusalOf(chain.ledger, () => chain.submit(elsewhere));
      expect([error.code, error.facts.why]).to.deep.equal(["malformed", "kind on a wrong chain"]);
    }
  });

  it("starts each chain at its own genesis", async () => {
    const [first, second] = [await chain.view.head(7), await chain.view.head(8)];
    expect([first.number, first.ts, first.firstCovered]).to.deep.equal([0n, 0n, undefined]);
    expect(toHex(first.cbh)).to.not.equal(toHex(second.cbh));
    expect(await chain.view.block(7, 1n)).to.equal(undefined);
    expect(await chain.view.header(7, 1n)).to.equal(undefined);
  });
});
