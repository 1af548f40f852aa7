import { expect } from "chai";
import {
  BASIS,
  KIND,
  VerifiedSignatures,
  caseRef,
  headerCodec,
  merkleRoot,
  monthCloses,
  monthEnd,
  paramsCodec,
  sha256,
  toHex,
  utf8,
  type Params,
} from "@veilgrid/protocol";
import { electionCertificate } from "../../src/consortium/blocks.js";
import { Chain, MONTH, periodAt } from "../../src/consortium/chain.js";
import { ContractLedger, digestOf } from "../../src/consortium/contract-ledger.js";
import {
  billsDraft,
  closeDraft,
  masksDraft,
  paramsDraft,
  pricesDraft,
  verdictsDraft,
} from "../../src/consortium/issued.js";
import { MapLedger } from "../../src/consortium/map-ledger.js";
import { aggregators, memberOf, paramsOf } from "../../src/consortium/members.js";
import { codeOf, failureOf, refusalOf, refused } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

type ContractChain = Chain<ContractLedger>;

describe("the contract's transactions", () => {
  let chain: ContractChain;

  async function open(change: Partial<Params> = {}): Promise<ContractChain> {
    const params = paramsOf(change);
    return Chain.of(await ContractLedger.open(params), params);
  }

  beforeEach(async () => {
    chain = await open();
  });

  afterEach(async () => {
    await chain.ledger.close();
  });

  async function refusedCall(attempt: () => Promise<unknown>): Promise<string> {
    return codeOf(await refusalOf(chain.ledger, attempt));
  }

  /** The events of everything on the ledger, by name. */
  async function events(): Promise<{ name: string; payload: Uint8Array }[]> {
    const all: { name: string; payload: Uint8Array }[] = [];
    for await (const { name, payload } of chain.ledger.ledger.events(0n)) all.push({ name, payload });
    return all;
  }

  async function adopt(change: Partial<Params>): Promise<void> {
    const next = { ...chain.params, version: chain.params.version + 1, ...change };
    await chain.commit(chain.at(paramsDraft(chain.issuing, next)));
    chain.adopt(next);
  }

  describe("setup", () => {
    it("may be called by any member, once", async () => {
      const { result } = await chain.ledger.call("Cc", "setup");
      expect(Buffer.from(result).toString()).to.equal(toHex(chain.consortium));
      expect(await events()).to.deep.equal([{ name: "setup", payload: chain.consortium }]);
      for (const msp of ["Cc", "Kgcbp", "Da0"]) {
        expect(await refusedCall(() => chain.ledger.call(msp, "setup")), msp).to.equal("already-set-up");
      }
    });

    it("is not for strangers", async () => {
      expect(await refusedCall(() => chain.ledger.call("Stranger", "setup"))).to.equal("wrong-organisation");
      expect(await refusedCall(() => chain.ledger.call("da0", "setup"))).to.equal("wrong-organisation");
    });

    it("stores the package's parameters, which all endorsers must have", async () => {
      const other = paramsOf({ minReleaseMeters: 6 });
      const divided = await ContractLedger.open(chain.params, [chain.params, chain.params, other, chain.params]);
      const error = await refusalOf(divided, () => divided.call("Kgcbp", "setup"));
      expect([error.code, error.facts.differs]).to.deep.equal(["endorse-differs", "Da2"]);
      await divided.close();
    });

    it("stores them as they are: nothing is taken from the caller", async () => {
      await chain.ledger.call("Kgcbp", "setup", [], { params: paramsCodec.encode(paramsOf({ channel: "mine" })) });
      expect(await chain.view.currentParams()).to.deep.equal(chain.params);
      expect(await refusedCall(() => chain.ledger.call("Kgcbp", "setup", ["argument"]))).to.equal("contract-error");
    });

    it("comes before everything else", async () => {
      expect(await refusedCall(() => chain.elect(1n, 0))).to.equal("not-set-up");
      const { ledger } = chain;
      const [block, cert] = [new Uint8Array(300), new Uint8Array(3)];
      expect(await refusedCall(() => ledger.submitBlock(block, cert))).to.equal("not-set-up");
    });
  });

  describe("submitElection", () => {
    beforeEach(async () => {
      await chain.setUp();
    });

    it("is for an aggregator's organisation", async () => {
      const cert = electionCertificate(chain.consortium, chain.params, { term: 2n, candidate: 1 });
      for (const msp of ["Cc", "Kgcbp", "Stranger"]) {
        expect(await refusedCall(() => chain.ledger.submitElection(cert, msp)), msp).to.equal("wrong-organisation");
      }
      await chain.ledger.submitElection(cert, "Da3");
      const [, , leader] = await events();
      expect(leader?.name).to.equal("leader");
      expect(toHex(leader?.payload ?? new Uint8Array())).to.equal(
        `0000000000000002${toHex(chain.params.da[1]?.key as Uint8Array)}`,
      );
    });

    it("keeps the rules, and says which it was", async () => {
      const cert = electionCertificate(chain.consortium, chain.params, { term: 1n, candidate: 1 });
      const error = await refusalOf(chain.ledger, () => chain.ledger.submitElection(cert));
      expect(error.facts).to.deep.equal({ term: "1", ledger: "1", contract: "stale-term" });
      expect(error.message).to.equal("the contract refused: the ledger is in that term or a later one");
    });
  });

  describe("submitBlock", () => {
    beforeEach(async () => {
      await chain.setUp();
    });

    it("is for an aggregator's organisation, whoever leads", async () => {
      const { block, cert } = await chain.seal(chain.epoch());
      for (const msp of ["Cc", "Kgcbp", "Stranger"]) {
        expect(await refusedCall(() => chain.ledger.submitBlock(block, cert, msp)), msp).to.equal("wrong-organisation");
      }
      await chain.ledger.submitBlock(block, cert, "Da2");
    });

    it("is for an aggregator that was removed as long as its periods run", async () => {
      const first = chain.params;
      await chain.commit(chain.epoch());
      await adopt({ da: aggregators(5).slice(0, 3).concat(memberOf("Da4")) });
      const { block, cert } = await chain.seal(chain.readings({}, chain.reports(), first));
      const current = await chain.seal(chain.at(paramsDraft(chain.issuing, { ...chain.params, version: 3 })));
      const onItsOwn = (): Promise<void> => chain.ledger.submitBlock(current.block, current.cert, "Da3");
      expect(await refusedCall(onItsOwn)).to.equal("wrong-organisation");
      await chain.ledger.submitBlock(block, cert, "Da3");
      await chain.ledger.submitBlock(current.block, current.cert, "Da4");
    });

    it("of a stranger is refused whatever its block says of the parameters", async () => {
      const { block, cert } = await chain.seal(chain.epoch());
      const stranger = (changed: Uint8Array): Promise<void> => chain.ledger.submitBlock(changed, cert, "Stranger");
      expect(await refusedCall(() => stranger(block.slice(0, 20)))).to.equal("malformed");
      // A version that there is none of: `params` are bytes 112 and 113.
      expect(await refusedCall(() => stranger(block.with(113, 9)))).to.equal("wrong-params");
    });

    it("takes the digest of block and certificate", async () => {
      const { block, cert } = await chain.seal(chain.epoch());
      const call = (digest: string): Promise<unknown> =>
        chain.ledger.call("Da0", "submitBlock", [digest], { block, cert });
      const good = digestOf(block, cert);
      for (const digest of ["", "0", good.toUpperCase(), digestOf(block), digestOf(cert, block), `${good}0`]) {
        expect(await refusedCall(() => call(digest)), digest).to.equal("wrong-digest");
      }
      const { result } = await chain.ledger.call("Da0", "submitBlock", [good], { block, cert });
      expect(Buffer.from(result).toString()).to.equal(good);
    });

    it("takes its bytes as transient data", async () => {
      const { block, cert } = await chain.seal(chain.epoch());
      const call = (transient: Readonly<Record<string, Uint8Array>>): Promise<unknown> =>
        chain.ledger.call("Da0", "submitBlock", [digestOf(block, cert)], transient);
      expect(await refusedCall(() => call({}))).to.equal("missing-transient");
      expect(await refusedCall(() => call({ block }))).to.equal("missing-transient");
      expect(await refusedCall(() => call({ cert }))).to.equal("missing-transient");
      expect(await refusedCall(() => call({ block: cert, cert: block }))).to.equal("wrong-digest");
      const cert0 = electionCertificate(chain.consortium, chain.params, { term: 2n, candidate: 1 });
      expect(await refusedCall(() => chain.ledger.call("Da0", "submitElection", [digestOf(cert0)]))).to.equal(
        "missing-transient",
      );
    });

    it("may carry more transient data, which are nobody's business", async () => {
      const { block, cert } = await chain.seal(chain.epoch());
      await chain.ledger.call("Da0", "submitBlock", [digestOf(block, cert)], { block, cert, other: Uint8Array.of(1) });
      expect((await chain.view.head(1)).number).to.equal(1n);
    });

    it("keeps the rules", async () => {
      await chain.commit(chain.epoch());
      expect(await refused(chain, chain.readings(), { voters: [0, 1] })).to.equal("too-few-votes");
      expect(await refused(chain, { ...chain.readings(), aggFault: true })).to.equal("wrong-agg-fault");
      expect(await refused(chain, chain.readings({ k: 1 }))).to.equal("out-of-order");
    });

    it("answers that the identical block is committed", async () => {
      const sealed = await chain.commit(chain.epoch());
      expect(await refusedCall(() => chain.submit(sealed))).to.equal("already-committed");
    });

    it("lets one block of a number in, where two are under way", async () => {
      const [one, other] = [await chain.seal(chain.epoch()), await chain.seal(chain.epoch({ periods: 2 }))];
      const outcomes = await Promise.allSettled([chain.submit(one), chain.submit(other)]);
      expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
      expect((await failureOf(Promise.reject((outcomes[1] as PromiseRejectedResult).reason as Error))).code).to.equal(
        "mvcc-conflict",
      );
    });

    it("lets no block of an old term in, where an election is under way", async () => {
      const sealed = await chain.seal(chain.epoch());
      const outcomes = await Promise.allSettled([chain.elect(2n, 1), chain.submit(sealed)]);
      expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected"]);
      expect((await chain.view.head(1)).number).to.equal(0n);
    });
  });

  it("take all eight kinds of block, and write exactly what the rules write", async () => {
    const rules = Chain.of(new MapLedger(), chain.params);
    for (const each of [chain, rules]) await runMonth(each as Chain);
    for (const key of rules.ledger.keys) {
      expect(await chain.ledger.ledger.state.get(key), key).to.deep.equal(await rules.ledger.get(key));
    }
    const written = new Set<string>();
    for await (const { transactions } of chain.ledger.ledger.blocks(0n)) {
      for (const { writes, validation } of transactions) {
        expect(validation).to.equal("VALID");
        for (const { key } of writes) written.add(key);
      }
    }
    expect([...written].filter((key) => !rules.ledger.keys.includes(key)).sort()).to.deep.equal([
      "body/00001/00000000000000000001",
      "body/00001/00000000000000000002",
      "body/00001/00000000000000000003",
      "fault/00001/024159/0001",
    ]);
    const kinds = (await events())
      .filter(({ name }) => name === "block")
      .map(({ payload }) => headerCodec.decode(payload).kind);
    expect(kinds).to.deep.equal([2, 3, 3, 4, 5, 7, 6, 8, 1]);
    expect(Object.values(KIND).every((kind) => kinds.includes(kind))).to.equal(true);
  });

  it("need endorsers that agree: one with a defect is named, and nothing is written", async () => {
    class Broken extends VerifiedSignatures {
      override verify(): never {
        throw new Error("a defect");
      }
    }
    const { params } = chain;
    await chain.ledger.close();
    chain = Chain.of(await ContractLedger.open(params, [params, params, params, params], new Broken(0)), params);
    await chain.ledger.setUp();
    const error = await refusalOf(chain.ledger, () => chain.elect(1n, 0));
    expect([error.code, error.facts.differs]).to.deep.equal(["endorse-differs", "Da1"]);
  });

  it("take a correction in release mode upfront, in completeness mode sum", async () => {
    await chain.ledger.close();
    chain = await open({ release: "upfront", completeness: "sum" });
    await chain.setUp();
    await chain.commit(chain.epoch({ periods: 1 }));
    await chain.settle(
      {},
      chain.reports(([, ...others]) => others),
    );
    await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])));
    await chain.commit(chain.at(pricesDraft(chain.issuing, [chain.price()])));
    expect((await chain.view.price(1, periodAt(0)))?.consumption).to.equal(2000n);
  });
});

/** A month of two periods from its epoch to its close, with everything in between, and a new version. */
async function runMonth(chain: Chain): Promise<void> {
  await chain.setUp();
  await chain.commit(chain.epoch({ periods: 2 }));
  const [orphan, ...others] = chain.reports() as [Report, ...Report[]];
  await chain.settle({ k: 0 });
  await chain.settle({ k: 1 }, [reported(orphan.meter, 100n, [1, 0]), ...others]);
  const { issuing } = chain;
  await chain.commit(
    chain.at(
      masksDraft(
        issuing,
        [0, 1].map((k) => chain.release({ k })),
      ),
    ),
  );
  const prices = [chain.price({ k: 0 }), chain.price({ k: 1 }, { consumption: 2000n, basis: BASIS.measured })];
  await chain.commit(chain.at(pricesDraft(issuing, prices)));
  const ref = caseRef(sha256(utf8("case key")), new Uint8Array(16));
  const verdict = { region: 1, period: periodAt(1), silent: 0, orphan: 1, implausible: 0, conflict: 0, ref };
  await chain.commit(chain.at(verdictsDraft(issuing, [verdict])));
  chain.now = BigInt(monthCloses(MONTH, chain.params));
  const entry = { bid: new Uint8Array(16), revision: 0, cid: Uint8Array.of(1), hash: merkleRoot([]) };
  await chain.commit(chain.at(billsDraft(issuing, [{ month: MONTH, entries: [entry] }])));
  chain.now = BigInt(monthEnd(MONTH + 2));
  await chain.commit(chain.at(closeDraft(issuing, [{ region: 1, month: MONTH }])));
  await chain.commit(chain.at(paramsDraft(issuing, { ...chain.params, version: 2, da: aggregators(5) })));
}
