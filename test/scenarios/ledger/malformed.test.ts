import { expect } from "chai";
import {
  BASIS,
  KIND,
  NO_PERIOD,
  billsCodec,
  closeCodec,
  concat,
  maskCodec,
  monthEnd,
  paramsCodec,
  priceCodec,
  sha256,
  utf8,
  verdictCodec,
  type SigKind,
} from "@veilgrid/protocol";
import type { Draft } from "../../src/consortium/blocks.js";
import { MONTH, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { chain0Draft, issuedLeaf, paramsDraft } from "../../src/consortium/issued.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";

const HASH = sha256(utf8("some hash"));
const SIGNED: Readonly<Record<string, { kind: number; sig: SigKind; by: "cc" | "kgcbp"; body: Uint8Array }>> = {
  masks: {
    kind: KIND.masks,
    sig: "mask",
    by: "kgcbp",
    body: maskCodec.encode({ region: 1, period: periodAt(0), cbh: HASH, status: 1, z: 1n, excluded: [HASH] }),
  },
  prices: {
    kind: KIND.prices,
    sig: "price",
    by: "cc",
    body: priceCodec.encode({
      region: 1,
      period: periodAt(0),
      price: 1n,
      basis: BASIS.measured,
      consumption: 1n,
      cbh: HASH,
    }),
  },
  bills: {
    kind: KIND.bills,
    sig: "bills",
    by: "kgcbp",
    body: billsCodec.encode({
      month: MONTH,
      entries: [{ bid: new Uint8Array(16), revision: 1, cid: Uint8Array.of(1), hash: HASH }],
    }),
  },
  verdicts: {
    kind: KIND.verdicts,
    sig: "verdict",
    by: "kgcbp",
    body: verdictCodec.encode({
      region: 1,
      period: periodAt(0),
      silent: 1,
      orphan: 0,
      implausible: 0,
      conflict: 0,
      ref: HASH,
    }),
  },
  close: { kind: KIND.close, sig: "close", by: "kgcbp", body: closeCodec.encode({ region: 1, month: MONTH }) },
};

describe("a malformed message on the ledger", () => {
  let chain: Chain;

  before(async () => {
    chain = await startedChain();
    chain.now = BigInt(monthEnd(MONTH + 4));
  });

  for (const [name, { kind, sig, by, body }] of Object.entries(SIGNED)) {
    it(`is refused in a block of ${name}, though its issuer signed it`, async () => {
      const { key } = chain.params[by];
      const leafOf = (bytes: Uint8Array): Uint8Array => issuedLeaf(chain.consortium, sig, bytes, key);
      const draftOf = (leaf: Uint8Array): Draft => chain.at(chain0Draft(kind, 1, [leaf]));
      expect(await refused(chain, draftOf(leafOf(body))), "the good one").to.not.equal("malformed");
      const bad = {
        cut: leafOf(body.slice(0, -1)),
        trailing: leafOf(Uint8Array.of(...body, 0)),
        "without body": new Uint8Array(64),
        "nothing at all": new Uint8Array(),
        "out of range": leafOf(body.slice().fill(0, 0, 6)),
      };
      for (const [what, leaf] of Object.entries(bad)) {
        expect(await refused(chain, draftOf(leaf)), what).to.equal("malformed");
      }
    });

    it(`is refused where a block of ${name} has no leaf`, async () => {
      expect(await refused(chain, chain.at(chain0Draft(kind, 1, [])))).to.equal("malformed");
    });
  }

  it("is refused where a header's bytes are none", async () => {
    const params = { ...chain.params, version: 2 };
    const { block, cert } = await chain.seal(chain.at(paramsDraft(chain.issuing, params)));
    const bytes = paramsCodec.encode(params).length;
    const bad: Readonly<Record<string, Uint8Array>> = {
      "another version": block.with(0, 2),
      "an unknown kind": block.with(35, 9),
      "a genesis": block.with(35, 0),
      "number 0": block.with(43, 0),
      "a period": block.with(129, 1),
      "aggFault 2": block.with(132, 2),
      "no leaves": block.slice(0, 237),
      "half a header": block.slice(0, 100),
      nothing: new Uint8Array(),
      "more than two mebibytes": concat(block, new Uint8Array(2_097_152)),
      "a longer leaf than there is": block.with(239, (block[239] as number) + 1),
    };
    expect(block.length).to.equal(237 + 3 + bytes);
    for (const [what, changed] of Object.entries(bad)) {
      const error = await refusalOf(chain.ledger, () => chain.ledger.submitBlock(changed, cert));
      expect(error.code, what).to.equal("malformed");
    }
  });

  it("is refused where its certificate's bytes are none", async () => {
    const { block, cert } = await chain.seal(chain.at(paramsDraft(chain.issuing, { ...chain.params, version: 2 })));
    const bad: Readonly<Record<string, Uint8Array>> = {
      cut: cert.slice(0, -1),
      trailing: concat(cert, Uint8Array.of(0)),
      "votes that differ": cert.with(121, (cert[121] as number) ^ 1),
    };
    for (const [what, changed] of Object.entries(bad)) {
      const error = await refusalOf(chain.ledger, () => chain.ledger.submitBlock(block, changed));
      expect(error.code, what).to.equal("malformed");
    }
    const disordered = concat(cert.subarray(121, 242), cert.subarray(0, 121), cert.subarray(242));
    const error = await refusalOf(chain.ledger, () => chain.ledger.submitBlock(block, disordered));
    expect(error.code).to.equal("malformed");
  });

  it("leaves the place on its chain to a good one", async () => {
    expect((await chain.view.head(0)).number).to.equal(0n);
    const draft = chain.at(paramsDraft(chain.issuing, { ...chain.params, version: 2 }));
    expect(draft.period).to.equal(NO_PERIOD);
    await chain.on(chain.ledger.copy()).commit(draft);
  });
});
