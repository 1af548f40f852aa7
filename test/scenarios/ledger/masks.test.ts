import { expect } from "chai";
import { decodeReadingLeaf, sha256, sub, sum, toSigned, type Mask, type Transition } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { daKey, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { masksDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

type Reports = [Report, ...Report[]];

function draftOf(chain: Chain, ...masks: readonly Mask[]): Draft {
  return chain.at(masksDraft(chain.issuing, masks));
}

/** A ledger with three periods: whole, one half missing, and with a changed duplicate. */
async function settledChain(release: "after-commit" | "upfront"): Promise<Chain> {
  const chain = await startedChain({ release });
  await chain.commit(chain.epoch({ periods: 4 }));
  const [own, ...others] = chain.reports() as Reports;
  await chain.settle({ k: 0 });
  await chain.settle({ k: 1 }, [reported(own.meter, 100n, [1, 0]), ...others]);
  await chain.settle({ k: 2 }, [reported(own.meter, 100n, [1, 2]), ...others]);
  await chain.settle({ k: 3 }, []);
  return chain;
}

describe("a mask release on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await settledChain("after-commit");
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("opens the sum of the counted readings", async () => {
    const mask = chain.release();
    await chain.commit(draftOf(chain, mask));
    const record = await chain.view.mask(1, periodAt(0));
    expect(record).to.deep.include({ number: 1n, index: 0, status: 1, z: mask.z });
    expect(toSigned(sub(record?.sum ?? 0n, mask.z))).to.equal(2100n);
    expect(await chain.view.maskBody(1, periodAt(0))).to.deep.equal(mask);
  });

  it("counts neither the excluded nor whoever stands twice", async () => {
    const [orphan, twice] = [chain.release({ k: 1 }), chain.release({ k: 2 })];
    expect([orphan.excluded.length, twice.excluded.length]).to.deep.equal([1, 2]);
    await chain.commit(draftOf(chain, orphan, twice));
    for (const [index, mask] of [orphan, twice].entries()) {
      const record = await chain.view.mask(1, mask.period);
      expect(record?.index, `leaf ${index}`).to.equal(index);
      expect(toSigned(sub(record?.sum ?? 0n, mask.z)), `leaf ${index}`).to.equal(2000n);
      expect(await chain.view.maskBody(1, mask.period), `leaf ${index}`).to.deep.equal(mask);
    }
  });

  it("of too few meters opens nothing", async () => {
    await chain.commit(draftOf(chain, { ...chain.release(), status: 2, z: 0n, excluded: [] }));
    expect(await chain.view.mask(1, periodAt(0))).to.deep.equal({ number: 1n, index: 0, status: 2, z: 0n, sum: 0n });
  });

  it("is none where there is none", async () => {
    expect(await chain.view.mask(1, periodAt(0))).to.equal(undefined);
    expect(await chain.view.maskBody(1, periodAt(0))).to.equal(undefined);
  });

  describe("is refused", () => {
    it("if it is the second", async () => {
      const mask = chain.release();
      await chain.commit(draftOf(chain, mask));
      expect(await refused(chain, draftOf(chain, mask)), "the same").to.equal("mask-exists");
      expect(await refused(chain, draftOf(chain, { ...mask, z: 1n })), "another Z").to.equal("mask-exists");
    });

    it("if it is the second after one of too few", async () => {
      await chain.commit(draftOf(chain, { ...chain.release(), status: 2, z: 0n, excluded: [] }));
      expect(await refused(chain, draftOf(chain, chain.release()))).to.equal("mask-exists");
    });

    it("twice in one block", async () => {
      expect(await refused(chain, draftOf(chain, chain.release(), chain.release()))).to.equal("malformed");
    });

    it("in another order than by region and period", async () => {
      expect(await refused(chain, draftOf(chain, chain.release({ k: 1 }), chain.release()))).to.equal("malformed");
    });

    it("for too few meters", async () => {
      const mask = chain.release();
      // 8 of the 12 readings, where five meters have 10.
      const prids = chain.readings().leaves.map((leaf) => decodeReadingLeaf(leaf).prid);
      expect(await refused(chain, draftOf(chain, { ...mask, excluded: prids.slice(0, 4) }))).to.equal("too-few-meters");
    });

    it("for an odd number of readings", async () => {
      const mask = chain.release();
      const [first] = chain.readings().leaves.map((leaf) => decodeReadingLeaf(leaf).prid) as [Uint8Array];
      expect(await refused(chain, draftOf(chain, { ...mask, excluded: [first] }))).to.equal("too-few-meters");
      expect(await refused(chain, draftOf(chain, { ...chain.release({ k: 1 }), excluded: [] }))).to.equal(
        "too-few-meters",
      );
    });

    it("if it excludes a PRID that is not in the block", async () => {
      const stranger = sha256(new Uint8Array());
      expect(await refused(chain, draftOf(chain, { ...chain.release(), excluded: [stranger] }))).to.equal(
        "not-in-block",
      );
      // The other half of the orphan's meter was never sent.
      const [own] = chain.meters as [(typeof chain.meters)[0]];
      const [, unsent] = own.halves(chain.place({ k: 1 }));
      expect(await refused(chain, draftOf(chain, { ...chain.release({ k: 1 }), excluded: [unsent.prid] }))).to.equal(
        "not-in-block",
      );
    });

    it("if it names another block", async () => {
      expect(await refused(chain, draftOf(chain, { ...chain.release(), cbh: chain.cbh({ k: 1 }) }))).to.equal(
        "wrong-block-hash",
      );
    });

    it("for an empty block", async () => {
      const mask = { ...chain.release({ k: 3 }) };
      expect(mask.status).to.equal(2);
      expect(await refused(chain, draftOf(chain, mask))).to.equal("mask-not-due");
      expect(await refused(chain, draftOf(chain, { ...mask, status: 1 }))).to.equal("mask-not-due");
    });

    it("before the readings block, and may be good later", async () => {
      const early = await chain.seal(draftOf(chain, { ...chain.release(), period: periodAt(4) }));
      const error = await refusalOf(chain.ledger, () => chain.submit(early));
      expect([error.code, error.retry]).to.deep.equal(["no-readings-block", true]);
    });

    it("by anybody but KGCBP", async () => {
      for (const issuer of [chain.params.cc.key, daKey(chain.params, 0)]) {
        const draft = chain.at(masksDraft({ ...chain.issuing, issuer }, [chain.release()]));
        expect(await refused(chain, draft)).to.equal("bad-signature");
      }
    });

    it("as a whole where one of its leaves is wrong", async () => {
      const draft = draftOf(chain, chain.release(), { ...chain.release({ k: 1 }), excluded: [] });
      expect(await refused(chain, draft)).to.equal("too-few-meters");
    });
  });
});

describe("a correction in release mode upfront", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await settledChain("upfront");
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("follows a fault", async () => {
    const mask = chain.release({ k: 1 });
    await chain.commit(draftOf(chain, mask));
    expect(toSigned(sub((await chain.view.mask(1, periodAt(1)))?.sum ?? 0n, mask.z))).to.equal(2000n);
    expect((chain.ledger.last as Transition).writes.map(({ key }) => key)).to.deep.equal([
      "header/00000/00000000000000000001",
      "body/00000/00000000000000000001",
      "chain/00000",
      "mask/00001/024159/0001",
    ]);
  });

  it("is for a fault only", async () => {
    expect(await refused(chain, draftOf(chain, chain.release()))).to.equal("mask-not-due");
    // A changed duplicate is no fault of the set.
    expect(await refused(chain, draftOf(chain, chain.release({ k: 2 })))).to.equal("mask-not-due");
  });

  it("has status 1", async () => {
    const mask: Mask = { ...chain.release({ k: 1 }), status: 2, z: 0n, excluded: [] };
    expect(await refused(chain, draftOf(chain, mask))).to.equal("mask-not-due");
  });

  it("is one for a period, and for enough meters", async () => {
    const few = { ...chain.release({ k: 1 }), excluded: [] };
    expect(await refused(chain, draftOf(chain, few))).to.equal("too-few-meters");
    await chain.commit(draftOf(chain, chain.release({ k: 1 })));
    expect(await refused(chain, draftOf(chain, chain.release({ k: 1 })))).to.equal("mask-exists");
  });

  it("does not undo the noise of nothing: an empty block has none", async () => {
    expect(sum([])).to.equal(0n);
    expect(await refused(chain, draftOf(chain, { ...chain.release({ k: 3 }), status: 1 }))).to.equal("mask-not-due");
  });
});
