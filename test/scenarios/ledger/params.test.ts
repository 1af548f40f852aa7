import { expect } from "chai";
import { encodeParamsLeaf, paramsCodec, sha256, signBody, toHex, type Member, type Params } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { daKey, startedChain, type Chain } from "../../src/consortium/chain.js";
import { chain0Draft, masksDraft, paramsDraft } from "../../src/consortium/issued.js";
import { aggregators, memberOf, secretOf } from "../../src/consortium/members.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

describe("a params block on the ledger", () => {
  let chain: Chain;

  beforeEach(async () => {
    chain = await startedChain();
  });

  function next(change: Partial<Params> = {}): Params {
    return { ...chain.params, version: chain.params.version + 1, ...change };
  }

  function draftOf(params: Params): Draft {
    return chain.at(paramsDraft(chain.issuing, params));
  }

  async function adopt(change: Partial<Params>): Promise<void> {
    const params = next(change);
    await chain.commit(draftOf(params));
    chain.adopt(params);
  }

  /** A params block whose possessions are signed by other keys, in this order. */
  function withProofs(params: Params, keys: readonly Uint8Array[], signed = paramsCodec.encode(params)): Draft {
    const proofs = keys.map((key) => signBody("possession", chain.consortium, sha256(signed), secretOf(key)));
    return chain.at(chain0Draft(1, 1, [encodeParamsLeaf(paramsCodec.encode(params), proofs)]));
  }

  it("is in force from its commit", async () => {
    await adopt({ roundSeconds: 20 });
    expect((await chain.view.currentParams()).roundSeconds).to.equal(20);
    expect((await chain.view.params(1)).roundSeconds).to.equal(10);
    expect(toHex(await chain.view.consortium())).to.equal(toHex(sha256(paramsCodec.encode(chain.version(1)))));
  });

  it("is voted by Q of the set before", async () => {
    const seven = next({ da: aggregators(7) });
    expect(await refused(chain, draftOf(seven), { voters: [0, 1] })).to.equal("too-few-votes");
    await chain.commit(draftOf(seven), { voters: [0, 1, 2] });
    chain.adopt(seven);
    // From here on f = 2 and Q = 5.
    expect(await refused(chain, draftOf(next()), { voters: [0, 1, 2, 6] })).to.equal("too-few-votes");
    await chain.commit(draftOf(next()), { voters: [0, 1, 2, 5, 6] });
  });

  it("adds an aggregator, who votes and can be elected", async () => {
    await adopt({ da: aggregators(5) });
    await chain.elect(2n, 4);
    expect((await chain.view.term()).leader).to.deep.equal(daKey(chain.params, 4));
    await chain.commit(chain.epoch(), { voters: [1, 2, 3, 4] });
  });

  it("ends the leadership of an aggregator that it removes", async () => {
    await adopt({ da: aggregators(5).slice(1) });
    expect(await refused(chain, draftOf(next()))).to.equal("not-the-leader");
    await chain.elect(2n, 0);
    await chain.commit(draftOf(next({ roundSeconds: 3 })));
  });

  it("replaces keys, which then issue and vote", async () => {
    const first = chain.params;
    await chain.commit(chain.epoch());
    await adopt({
      kgcbp: memberOf("Kgcbp", "another key of KGCBP"),
      da: [...first.da.slice(0, 3), memberOf("Da3", "new")],
    });
    await chain.settle({}, chain.reports(), first);
    const old = chain.at(masksDraft({ ...chain.issuing, issuer: first.kgcbp.key }, [chain.release()]));
    expect(await refused(chain, old)).to.equal("bad-signature");
    await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])), { voters: [0, 1, 3] });
  });

  it("is followed by blocks of chain 0 that name it", async () => {
    await adopt({});
    const stale = { ...draftOf(next()), params: 1 };
    expect(await refused(chain, stale)).to.equal("wrong-params");
  });

  it("takes the release mode from upfront to after-commit, while upfront's periods stay so", async () => {
    chain = await startedChain({ release: "upfront" });
    const first = chain.params;
    await chain.commit(chain.epoch({ periods: 1 }));
    await adopt({ release: "after-commit" });
    await chain.commit(chain.epoch({ k: 1, periods: 1 }));
    await chain.settle({}, chain.reports(), first);
    await chain.settle({ k: 1 });
    expect(await refused(chain, chain.at(masksDraft(chain.issuing, [chain.release()])))).to.equal("mask-not-due");
    await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release({ k: 1 })])));
  });

  it("may change the completeness mode", async () => {
    await adopt({ completeness: "sum" });
    await chain.commit(chain.epoch());
    await chain.settle();
  });

  it("takes a retired key for the periods of its version, and for nothing later", async () => {
    const first = chain.params;
    await chain.commit(chain.epoch({ periods: 1 }));
    await adopt({ da: [...first.da.slice(0, 3), memberOf("Da3", "new")] });
    // The period of version 1: the old key votes, the new one does not.
    const readings = chain.readings({}, chain.reports(), first);
    const fresh = { voters: [0, 1, 3], lastVoter: daKey(chain.params, 3) };
    expect(await refused(chain, readings, fresh)).to.equal("bad-signature");
    await chain.commit(readings, { voters: [0, 1, 3] });
    // Later ones: whatever the retired key signs is no vote.
    const retired = { voters: [0, 1, 3], lastVoter: daKey(first, 3) };
    const epoch = chain.epoch({ k: 1, periods: 1 });
    expect(await refused(chain, epoch, retired)).to.equal("bad-signature");
    expect(await refused(chain, draftOf(next()), retired)).to.equal("bad-signature");
    await chain.commit(epoch, { voters: [0, 1, 3] });
    const later = { k: 1 };
    expect(await refused(chain, chain.readings(later, chain.reports(), first), retired)).to.equal("wrong-params");
    await chain.settle(later);
  });

  describe("is refused", () => {
    it("with fewer than four aggregators, unless there were no more before", async () => {
      expect(await refused(chain, draftOf(next({ da: aggregators(3) })))).to.equal("too-few-aggregators");
      chain = await startedChain({ da: aggregators(3) });
      expect(await refused(chain, draftOf(next({ da: aggregators(2) })))).to.equal("too-few-aggregators");
      await adopt({ roundSeconds: 20 });
      await adopt({ da: aggregators(4) });
    });

    it("with another version than the next", async () => {
      for (const version of [1, 3]) {
        const sealed = await chain.seal(draftOf(next({ version })));
        const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
        expect([error.code, error.retry], `version ${version}`).to.deep.equal(["wrong-version", version === 3]);
      }
    });

    it("with another channel, another period, or the mode going back", async () => {
      expect(await refused(chain, draftOf(next({ channel: "other" })))).to.equal("wrong-params");
      expect(await refused(chain, draftOf(next({ periodSeconds: 900 })))).to.equal("wrong-params");
      expect(await refused(chain, draftOf(next({ release: "upfront" })))).to.equal("wrong-params");
    });

    it("without a new key's proof of possession", async () => {
      const params = next({ da: aggregators(5) });
      expect(await refused(chain, withProofs(params, []))).to.equal("missing-possession");
    });

    it("with a proof for a key that is not new", async () => {
      expect(await refused(chain, withProofs(next(), [daKey(chain.params, 0)]))).to.equal("missing-possession");
    });

    it("with a proof by another key, of another set, or in another order", async () => {
      const params = next({ da: aggregators(6) });
      const [fourth, fifth] = params.da.slice(4).map(({ key }: Member) => key) as [Uint8Array, Uint8Array];
      expect(await refused(chain, withProofs(params, [fourth, fourth]))).to.equal("missing-possession");
      expect(await refused(chain, withProofs(params, [fifth, fourth]))).to.equal("missing-possession");
      const other = paramsCodec.encode(next({ da: aggregators(6), roundSeconds: 9 }));
      expect(await refused(chain, withProofs(params, [fourth, fifth], other))).to.equal("missing-possession");
      await chain.commit(withProofs(params, [fourth, fifth]));
    });

    it("of bytes that are no parameter set", async () => {
      const good = paramsCodec.encode(next());
      for (const leaf of [good.slice(1), Uint8Array.of(...good, 0), good.with(0, 2), new Uint8Array(1)]) {
        expect(await refused(chain, chain.at(chain0Draft(1, 1, [leaf])))).to.equal("malformed");
      }
    });

    it("beside another one", async () => {
      const [leaf] = draftOf(next()).leaves as [Uint8Array];
      expect(await refused(chain, chain.at(chain0Draft(1, 1, [leaf, leaf])))).to.equal("malformed");
    });
  });
});
