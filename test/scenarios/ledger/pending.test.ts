import { expect } from "chai";
import {
  BASIS,
  KIND,
  checkPending,
  merkleRoot,
  monthEnd,
  type PendingLeaf,
  type VeilgridError,
} from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { MONTH, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import {
  billsDraft,
  closeDraft,
  issuedLeaf,
  masksDraft,
  paramsDraft,
  pricesDraft,
  verdictsDraft,
} from "../../src/consortium/issued.js";
import { failureOf } from "../../src/consortium/refused.js";

function pendingOf({ kind, leaves }: Draft): PendingLeaf {
  return { kind, leaf: leaves[0] as Uint8Array };
}

describe("a pending transaction", () => {
  let chain: Chain;

  before(async () => {
    chain = await startedChain();
    await chain.commit(chain.epoch({ periods: 2 }));
    await chain.settle({ k: 0 });
    await chain.settle(
      { k: 1 },
      chain.reports(([, ...others]) => others),
    );
    await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])));
  });

  async function refusal(pending: PendingLeaf, ts: bigint): Promise<VeilgridError> {
    return failureOf(checkPending(chain.view, pending, ts));
  }

  it("may stand in a block as soon as its kind's rule holds", async () => {
    const { issuing, now } = chain;
    const at = now + 1n;
    const verdict = { region: 1, period: periodAt(1), silent: 1, orphan: 0, implausible: 0, conflict: 0 };
    const good = [
      chain.epoch({ k: 4 }),
      chain.at(masksDraft(issuing, [chain.release({ k: 1 })])),
      chain.at(pricesDraft(issuing, [chain.price()])),
      chain.at(verdictsDraft(issuing, [{ ...verdict, ref: merkleRoot([]) }])),
      chain.at(paramsDraft(issuing, { ...chain.params, version: 2 })),
    ];
    for (const draft of good) await checkPending(chain.view, pendingOf(draft), at);
  });

  it("waits for time, with a word that a retry makes sense", async () => {
    const entry = { bid: new Uint8Array(16), revision: 0, cid: Uint8Array.of(1), hash: merkleRoot([]) };
    const bills = chain.at(billsDraft(chain.issuing, [{ month: MONTH, entries: [entry] }]));
    const close = chain.at(closeDraft(chain.issuing, [{ region: 1, month: MONTH }]));
    for (const draft of [bills, close]) {
      const { code, retry } = await refusal(pendingOf(draft), chain.now + 1n);
      expect([code, retry], `kind ${draft.kind}`).to.deep.equal(["too-early", true]);
      const later = await refusal(pendingOf(draft), BigInt(monthEnd(MONTH + 3)));
      expect([later.code, later.retry], `kind ${draft.kind}`).to.deep.equal(["month-open", true]);
    }
  });

  it("is dropped when it can no longer be", async () => {
    const again = pendingOf(chain.at(masksDraft(chain.issuing, [chain.release()])));
    const { code, retry } = await refusal(again, chain.now + 1n);
    expect([code, retry]).to.deep.equal(["mask-exists", false]);
    const late = pendingOf(chain.epoch({ k: 1 }));
    expect(await refusal(late, chain.now + 1n)).to.deep.include({ code: "overlapping-epoch", retry: false });
  });

  it("may name a version of the parameters that the ledger has not yet", async () => {
    const params = { ...chain.params, version: 2 };
    const epoch = pendingOf(chain.epoch({ k: 4, params }));
    expect(await refusal(epoch, chain.now + 1n)).to.deep.include({ code: "wrong-params", retry: true });
  });

  it("is signed by its issuer", async () => {
    const issuer = chain.params.cc.key;
    const mask = chain.at(masksDraft({ ...chain.issuing, issuer }, [chain.release({ k: 1 })]));
    expect((await refusal(pendingOf(mask), chain.now + 1n)).code).to.equal("bad-signature");
  });

  it("is no readings, no unknown kind and no nonsense", async () => {
    const leaf = chain.readings().leaves[0] as Uint8Array;
    const { key } = chain.params.kgcbp;
    const nowhere = issuedLeaf(chain.consortium, "epoch", new Uint8Array(60).with(0, 1).with(12, 1), key);
    const bad: readonly PendingLeaf[] = [
      { kind: KIND.readings, leaf },
      { kind: 0, leaf },
      { kind: 9, leaf },
      { kind: KIND.masks, leaf },
      { kind: KIND.epoch, leaf: leaf.subarray(0, 64) },
      { kind: KIND.epoch, leaf: nowhere },
      { kind: KIND.params, leaf },
      { kind: KIND.prices, leaf: new Uint8Array() },
      { kind: KIND.prices, leaf: new Uint8Array(2_097_152 - 239) },
    ];
    for (const [i, pending] of bad.entries()) {
      expect((await refusal(pending, chain.now + 1n)).code, `number ${i}`).to.equal("malformed");
    }
  });

  it("needs no leader", async () => {
    await chain.elect(2n, 2);
    const price = chain.price({ k: 0 });
    expect(price.basis).to.equal(BASIS.measured);
    await checkPending(chain.view, pendingOf(chain.at(pricesDraft(chain.issuing, [price]))), chain.now + 1n);
  });
});
