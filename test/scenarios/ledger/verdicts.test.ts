import { expect } from "chai";
import { caseRef, sha256, utf8, type Verdict } from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { daKey, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { verdictsDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

const CASE_KEY = sha256(utf8("case key"));

function verdict(k: number, id: number): Verdict {
  const ref = caseRef(CASE_KEY, new Uint8Array(16).fill(id));
  return { region: 1, period: periodAt(k), silent: 1, orphan: 0, implausible: 0, conflict: 0, ref };
}

function draftOf(chain: Chain, ...verdicts: readonly Verdict[]): Draft {
  return chain.at(verdictsDraft(chain.issuing, verdicts));
}

describe("a verdict on the ledger", () => {
  let ready: Chain;
  let chain: Chain;

  before(async () => {
    ready = await startedChain();
    await ready.commit(ready.epoch());
    await ready.settle({ k: 0 });
    await ready.settle(
      { k: 1 },
      ready.reports(([, ...others]) => others),
    );
  });

  beforeEach(() => {
    chain = ready.on(ready.ledger.copy());
  });

  it("closes the fault that its period's block reports", async () => {
    expect(await chain.view.fault(1, periodAt(1))).to.deep.include({ number: 3n });
    await chain.commit(draftOf(chain, verdict(1, 1)));
    expect(await chain.view.fault(1, periodAt(1))).to.equal(undefined);
    expect(await chain.view.hasVerdict(1, periodAt(1), verdict(1, 1).ref)).to.equal(true);
    expect(await chain.view.hasVerdict(1, periodAt(1), verdict(1, 2).ref)).to.equal(false);
  });

  it("may be one of several on a period", async () => {
    const both = [verdict(1, 1), verdict(1, 2)].sort((a, b) => ((a.ref[0] as number) < (b.ref[0] as number) ? -1 : 1));
    await chain.commit(draftOf(chain, ...both));
    await chain.commit(draftOf(chain, verdict(1, 3)));
    expect(await chain.view.hasVerdict(1, periodAt(1), verdict(1, 2).ref)).to.equal(true);
    expect(await refused(chain, draftOf(chain, ...[...both].reverse()))).to.equal("malformed");
  });

  it("without a fault is refused", async () => {
    expect(await refused(chain, draftOf(chain, verdict(0, 1)))).to.equal("no-fault");
  });

  it("whose ref was used for the period is refused", async () => {
    await chain.commit(draftOf(chain, verdict(1, 1)));
    expect(await refused(chain, draftOf(chain, verdict(1, 1)))).to.equal("verdict-exists");
    expect(await refused(chain, draftOf(chain, { ...verdict(1, 1), silent: 0, orphan: 1 }))).to.equal("verdict-exists");
  });

  it("before the period's block is refused, and may be good later", async () => {
    const sealed = await chain.seal(draftOf(chain, verdict(2, 1)));
    const error = await refusalOf(chain.ledger, () => chain.submit(sealed));
    expect([error.code, error.retry]).to.deep.equal(["no-readings-block", true]);
  });

  it("by anybody but KGCBP is refused", async () => {
    for (const issuer of [chain.params.cc.key, daKey(chain.params, 0)]) {
      const draft = chain.at(verdictsDraft({ ...chain.issuing, issuer }, [verdict(1, 1)]));
      expect(await refused(chain, draft)).to.equal("bad-signature");
    }
  });
});
