import { expect } from "chai";
import fc from "fast-check";
import {
  VeilgridError,
  checkParamsLeaf,
  composeParamsLeaf,
  consortiumId,
  daAddress,
  decodeParamsLeaf,
  maxFaulty,
  newKeys,
  nextParams,
  paramsCodec,
  paramsDefaults,
  proveParamsLeaf,
  provePossession,
  quorum,
  schnorr,
  sha256,
  toHex,
  unprovenKeys,
  utf8,
  type Params,
  type ParamsChange,
} from "../src/index.js";

function secretOf(name: string): Uint8Array {
  return sha256(utf8(`test key of ${name}`));
}

function keyOf(name: string): Uint8Array {
  return schnorr.publicKey(secretOf(name));
}

function paramsOf(das: number): Params {
  return {
    ...paramsDefaults,
    version: 1,
    channel: "test",
    da: Array.from({ length: das }, (_, i) => ({ msp: `Da${i}`, key: keyOf(`da${i}`) })),
    cc: { msp: "Cc", key: keyOf("cc") },
    kgcbp: { msp: "Kgcbp", key: keyOf("kgcbp") },
  };
}

const FOUR = paramsOf(4);
const CONSORTIUM = consortiumId(paramsCodec.encode(FOUR));

function codeOf(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    return error instanceof VeilgridError ? error.code : "other";
  }
}

function refusal(params: Params, ...changes: readonly ParamsChange[]): string {
  return codeOf(() => nextParams(params, changes));
}

describe("the next version of a parameter set", () => {
  it("has several changes at once, and asks a proof of each new key in its order", () => {
    const next = nextParams(FOUR, [
      { what: "rotate-kgcbp", key: keyOf("kgcbp 2") },
      { what: "add-da", msp: "Da4", key: keyOf("da4") },
      { what: "rotate-da", msp: "Da1", key: keyOf("da1 2") },
      { what: "remove-da", msp: "Da0" },
      { what: "set", values: { roundSeconds: 20 } },
    ]);
    expect(next.version).to.equal(2);
    expect(next.da.map(({ msp }) => msp)).to.deep.equal(["Da1", "Da2", "Da3", "Da4"]);
    expect(next.da.map(daAddress)).to.deep.equal(["da/Da1", "da/Da2", "da/Da3", "da/Da4"]);
    expect([next.roundSeconds, next.cc]).to.deep.equal([20, FOUR.cc]);
    const names = ["da1 2", "da4", "kgcbp 2"];
    expect(newKeys(next, FOUR).map(toHex)).to.deep.equal(names.map((name) => toHex(keyOf(name))));
    const proofs = names.map((name) => provePossession(CONSORTIUM, next, secretOf(name)));
    // Whoever gathers them need not know the order.
    const leaf = composeParamsLeaf(CONSORTIUM, FOUR, next, proofs.toReversed());
    expect(decodeParamsLeaf(leaf).possessions).to.deep.equal(proofs);
    expect(checkParamsLeaf(CONSORTIUM, FOUR, leaf).params).to.deep.equal(next);
  });

  it("is refused where it changes nothing, or the same thing twice", () => {
    const rotation: ParamsChange = { what: "rotate-cc", key: keyOf("cc 2") };
    expect(refusal(FOUR)).to.equal("no-change");
    expect(refusal(FOUR, rotation, rotation)).to.equal("changed-twice");
    expect(
      refusal(FOUR, { what: "rotate-da", msp: "Da0", key: keyOf("x") }, { what: "remove-da", msp: "Da0" }),
    ).to.equal("changed-twice");
    const set: ParamsChange = { what: "set", values: { roundSeconds: 3 } };
    expect(refusal(FOUR, set, set)).to.equal("changed-twice");
    expect(refusal(FOUR, { what: "rotate-cc", key: keyOf("cc") })).to.equal("same-key");
  });

  it("is refused about members that there are not, or are already", () => {
    expect(refusal(FOUR, { what: "remove-da", msp: "Da9" })).to.equal("unknown-member");
    expect(refusal(FOUR, { what: "rotate-da", msp: "Cc", key: keyOf("x") })).to.equal("unknown-member");
    expect(refusal(FOUR, { what: "add-da", msp: "Da3", key: keyOf("x") })).to.equal("known-member");
    // A key that another has; and a name that is none.
    expect(refusal(FOUR, { what: "add-da", msp: "Da4", key: keyOf("cc") })).to.equal("out-of-range");
    expect(refusal(FOUR, { what: "add-da", msp: "Da 4", key: keyOf("x") })).to.equal("out-of-range");
  });

  it("is refused below four aggregators, and with values out of bounds", () => {
    expect(refusal(FOUR, { what: "remove-da", msp: "Da3" })).to.equal("too-few-aggregators");
    expect(
      refusal(FOUR, { what: "remove-da", msp: "Da3" }, { what: "add-da", msp: "Da4", key: keyOf("da4") }),
    ).to.equal("none");
    expect(refusal(paramsOf(5), { what: "remove-da", msp: "Da3" })).to.equal("none");
    expect(refusal(FOUR, { what: "set", values: { release: "upfront" } })).to.equal("wrong-params");
    expect(refusal(FOUR, { what: "set", values: { minReleaseMeters: 4 } })).to.equal("out-of-range");
    expect(refusal({ ...FOUR, version: 65_535 }, { what: "set", values: { roundSeconds: 3 } })).to.equal(
      "out-of-range",
    );
  });

  it("is not composed without the proof of every new key", () => {
    const next = nextParams(FOUR, [{ what: "rotate-cc", key: keyOf("cc 2") }]);
    const good = provePossession(CONSORTIUM, next, secretOf("cc 2"));
    const other = provePossession(CONSORTIUM, { ...next, roundSeconds: 3 }, secretOf("cc 2"));
    const foreign = provePossession(new Uint8Array(32), next, secretOf("cc 2"));
    for (const proofs of [[], [other], [foreign], [provePossession(CONSORTIUM, next, secretOf("cc"))]]) {
      expect(codeOf(() => composeParamsLeaf(CONSORTIUM, FOUR, next, proofs))).to.equal("missing-possession");
    }
    // What does not belong there is left out.
    const leaf = composeParamsLeaf(CONSORTIUM, FOUR, next, [other, good, foreign]);
    expect(decodeParamsLeaf(leaf).possessions).to.deep.equal([good]);
  });

  it("keeps names and keys apart and the quorum right, whatever comes and goes", () => {
    const step = fc.record({ add: fc.boolean(), which: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let params = FOUR;
        for (const [i, { add, which }] of steps.entries()) {
          const { msp } = params.da[which % params.da.length] as { msp: string };
          const change: ParamsChange = add
            ? { what: "add-da", msp: `New${i}`, key: keyOf(`new ${i}`) }
            : { what: "remove-da", msp };
          if (!add && params.da.length === 4) {
            expect(refusal(params, change)).to.equal("too-few-aggregators");
            continue;
          }
          const next = nextParams(params, [change]);
          expect(next.version).to.equal(params.version + 1);
          // The order of those who stay stays, and so every index below the change.
          const kept = params.da.filter((one) => next.da.some((other) => other.msp === one.msp));
          expect(next.da.slice(0, kept.length)).to.deep.equal(kept);
          params = next;
        }
        const w = params.da.length;
        const q = quorum(w);
        expect(2 * q - w).to.be.greaterThan(maxFaulty(w));
        expect(w - maxFaulty(w)).to.be.at.least(q);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a proposal that goes from one organisation to the next", () => {
  const next = nextParams(FOUR, [
    { what: "rotate-da", msp: "Da1", key: keyOf("da1 later") },
    { what: "rotate-kgcbp", key: keyOf("kgcbp later") },
  ]);
  const begun = paramsCodec.encode(next);
  const unproven = (leaf: Uint8Array): string[] => unprovenKeys(CONSORTIUM, FOUR, leaf).map(toHex);
  const proved = (leaf: Uint8Array, ...names: string[]): Uint8Array =>
    proveParamsLeaf(CONSORTIUM, FOUR, leaf, names.map(secretOf));

  it("says whose proofs of possession it lacks, until it lacks none", () => {
    expect(unproven(begun)).to.deep.equal([toHex(keyOf("da1 later")), toHex(keyOf("kgcbp later"))]);
    const first = proved(begun, "da0", "kgcbp", "kgcbp later");
    expect(unproven(first)).to.deep.equal([toHex(keyOf("da1 later"))]);
    expect(codeOf(() => checkParamsLeaf(CONSORTIUM, FOUR, first))).to.equal("missing-possession");
    const whole = proved(proved(first, "da0"), "da1", "da1 later");
    expect(unproven(whole)).to.deep.equal([]);
    expect(checkParamsLeaf(CONSORTIUM, FOUR, whole).params).to.deep.equal(next);
  });

  it("counts a false proof as none, and is of the version in force alone", () => {
    const first = proved(begun, "da1 later");
    const changed = Uint8Array.from(first, (byte, i) => (i === begun.length ? byte ^ 1 : byte));
    expect(unproven(changed)).to.have.length(2);
    expect(codeOf(() => proveParamsLeaf(CONSORTIUM, next, begun, []))).to.equal("wrong-version");
    expect(codeOf(() => proved(begun.subarray(1)))).to.equal("malformed");
  });
});
