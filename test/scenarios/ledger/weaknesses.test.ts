import { expect } from "chai";
import {
  BloomFilter,
  H1,
  MASK_STATUS,
  GROUP_ORDER,
  compareBytes,
  concat,
  decodeReadingLeaf,
  evenScalar,
  scalarBytes,
  schnorr,
  sha256,
  sub,
  sum,
  toSigned,
  utf8,
  type CompletenessMode,
  type EpochEntry,
  type Params,
  type ReadingLeaf,
} from "@veilgrid/protocol";
import { electionCertificate, type Draft } from "../../src/consortium/blocks.js";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { pridList } from "../../src/consortium/epochs.js";
import { masksDraft, pricesDraft } from "../../src/consortium/issued.js";
import { signedLeaf, type Half, type Meter } from "../../src/consortium/meters.js";
import { refusalOf, refused } from "../../src/consortium/refused.js";
import { reported, type Report } from "../../src/consortium/reports.js";

/*
 * PROTOCOL section 6, as far as the ledger is where an attack succeeds or fails: each is shown against the paper's rule
 * and against ours.
 */

type Key = Pick<Half, "prid" | "secret">;

function entryOf(chain: Chain, k = 0): Promise<EpochEntry> {
  return chain.view.epochAt(1, periodAt(k)).then((covering) => covering?.epoch.entries[k] as EpochEntry);
}

function keyOf(secret: Uint8Array): Key {
  return { secret, prid: schnorr.publicKey(secret) };
}

/** Three keys x, y and w = -(x + y) whose even points add up to nothing, and that pass a filter. */
function groundKeys(filter: BloomFilter): Key[] {
  const passing: Key[] = [];
  for (let i = 0; ; i += 1) {
    const x = keyOf(sha256(utf8(`ground key ${i}`)));
    if (!filter.has(x.prid)) continue;
    for (const y of passing) {
      const w = scalarBytes(GROUP_ORDER - ((evenScalar(x.secret) + evenScalar(y.secret)) % GROUP_ORDER));
      // w itself must be the even one: its point, not the opposite one, cancels x + y.
      if (schnorr.publicPoint(w)[0] === 2 && filter.has(keyOf(w).prid)) return [x, y, keyOf(w)];
    }
    passing.push(x);
  }
}

/** A chain under filters that are weak enough to grind within a test. */
async function weakChain(completeness: CompletenessMode): Promise<Chain> {
  const chain = await startedChain({ completeness, release: "upfront", bitsPerElement: 8, indices: 2 });
  await chain.commit(chain.epoch({ periods: 1 }));
  return chain;
}

/** The whole block with three foreign readings besides. */
async function stuffed(chain: Chain): Promise<Draft> {
  const { bf1 } = await entryOf(chain);
  const keys = groundKeys(new BloomFilter(bf1, "veilgrid/1/bf1", chain.params.indices));
  const foreign = keys.map((key, i) => signedLeaf(chain.place(), key, BigInt(i + 1)));
  const draft = chain.readings();
  return { ...draft, leaves: [...draft.leaves, ...foreign].sort(compareBytes) };
}

function total(leaves: readonly ReadingLeaf[]): bigint {
  return sum(leaves.map(({ rc }) => rc));
}

describe("what the paper's rules let through, on the ledger", () => {
  it("H2: with one filter a month, a PRID of one period passes in any other", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch({ periods: 2 }));
    const month = [0, 1].flatMap((k) => pridList(chain.meters, chain.place({ k })));
    const filter = BloomFilter.of("veilgrid/1/bf1", month, month.length, chain.params);
    const [half] = (chain.meters[0] as Meter).halves(chain.place({ k: 1 }));
    expect(filter.has(half.prid)).to.equal(true);
    // Its owner signs for a period that it is not made for.
    const draft = chain.readings();
    const early = { ...draft, leaves: [...draft.leaves, signedLeaf(chain.place(), half, 1n)].sort(compareBytes) };
    expect(await refused(chain, early)).to.equal("not-in-filter");
  });

  it("H3: three keys that cancel leave the sum T as it is; the set is another", async () => {
    const [paper, ours] = [await weakChain("sum"), await weakChain("set")];
    await paper.commit(await stuffed(paper));
    expect(await paper.view.readings(1, periodAt(0))).to.deep.include({ aggFault: false, count: 15 });
    const block = await paper.view.block(1, 2n);
    const leaves = (block?.block.leaves ?? []).map(decodeReadingLeaf);
    const { z } = await entryOf(paper);
    // No fault, so that the price must name a consumption that nobody had.
    expect(toSigned(sub(total(leaves), z ?? 0n))).to.equal(2106n);
    const draft = await stuffed(ours);
    expect(await refused(ours, draft)).to.equal("wrong-agg-fault");
    await ours.commit({ ...draft, aggFault: true });
    expect(await ours.view.fault(1, periodAt(0))).to.not.equal(undefined);
  });

  it("H4: a vote that names no block is good for any of its round", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch());
    const [shown, submitted] = [
      chain.readings(),
      chain.readings(
        {},
        chain.reports(([, ...others]) => others),
      ),
    ];
    const paperVote = ({ ts }: Draft): Uint8Array => H1("the paper's vote", concat(utf8(`valid, round 0, ${ts}`)));
    expect(paperVote(shown)).to.deep.equal(paperVote(submitted));
    const votes = (await chain.seal(shown)).cert;
    const { block } = await chain.seal(submitted);
    const error = await refusalOf(chain.ledger, () => chain.ledger.submitBlock(block, votes));
    expect(error.code).to.equal("other-block");
  });

  it("H5: two mask sums of a period differ by a victim's masks", async () => {
    const victim = (reports: readonly Report[]): Report => reports[0] as Report;
    const upfront = await startedChain({ release: "upfront" });
    await upfront.commit(upfront.epoch({ periods: 1 }));
    const everyone = upfront.reports();
    // A malicious aggregator withholds the victim's halves, and keeps them.
    const withheld = victim(everyone).meter.readings(upfront.place(), victim(everyone).consumption);
    await upfront.settle({}, everyone.slice(1));
    await upfront.commit(upfront.at(masksDraft(upfront.issuing, [upfront.release()])));
    const [before, after] = [(await entryOf(upfront)).z ?? 0n, (await upfront.view.mask(1, periodAt(0)))?.z ?? 0n];
    const learned = toSigned(sub(total(withheld.map(decodeReadingLeaf)), sub(before, after)));
    expect(learned).to.equal(100n);

    const ours = await startedChain();
    await ours.commit(ours.epoch({ periods: 1 }));
    expect(await entryOf(ours)).to.not.have.property("z");
    await ours.settle({}, everyone);
    const all = ours.release();
    await ours.commit(ours.at(masksDraft(ours.issuing, [all])));
    const halves = victim(everyone).meter.halves(ours.place());
    const excluded = halves.map(({ prid }) => prid).sort(compareBytes);
    const without = { ...all, z: sub(all.z, sum(halves.map(({ mask }) => mask))), excluded };
    expect(await refused(ours, ours.at(masksDraft(ours.issuing, [without])))).to.equal("mask-exists");
  });

  it("H6: one orphan half turns a sum over all readings into noise", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch({ periods: 1 }));
    const [orphan, ...others] = chain.reports() as [Report, ...Report[]];
    await chain.settle({}, [reported(orphan.meter, 100n, [1, 0]), ...others]);
    const mask = chain.release();
    const leaves = ((await chain.view.block(1, 2n))?.block.leaves ?? []).map(decodeReadingLeaf);
    const paper = toSigned(sub(total(leaves), mask.z));
    expect(paper < -1_000_000_000n || paper > 1_000_000_000n, paper.toString()).to.equal(true);
    await chain.commit(chain.at(masksDraft(chain.issuing, [mask])));
    await chain.commit(chain.at(pricesDraft(chain.issuing, [chain.price({}, { consumption: 2000n })])));
  });

  it("H7: the sum of a region of one meter is that meter's consumption", async () => {
    const paper = await startedChain({ release: "upfront" }, 1);
    await paper.commit(paper.epoch({ periods: 1 }));
    await paper.settle();
    await paper.commit(paper.at(pricesDraft(paper.issuing, [paper.price()])));
    expect((await paper.view.price(1, periodAt(0)))?.consumption).to.equal(100n);

    const ours = await startedChain({}, 1);
    await ours.commit(ours.epoch({ periods: 1 }));
    await ours.settle();
    const z = sum((ours.meters[0] as Meter).halves(ours.place()).map(({ mask }) => mask));
    const alone = { ...ours.release(), status: MASK_STATUS.released, z };
    expect(await refused(ours, ours.at(masksDraft(ours.issuing, [alone])))).to.equal("too-few-meters");
  });

  it("H7: a block with few of a region's meters gives them away likewise", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch({ periods: 1 }));
    const few = chain.reports((all) => all.slice(0, 4));
    await chain.settle({}, few);
    const z = sum(few.flatMap(({ meter }) => meter.halves(chain.place()).map(({ mask }) => mask)));
    const mask = { ...chain.release(), status: MASK_STATUS.released, z };
    expect(await refused(chain, chain.at(masksDraft(chain.issuing, [mask])))).to.equal("too-few-meters");
  });

  it("H10: where more than half of the votes win, two leaders may have the same term", async () => {
    const chain = await startedChain();
    const certificate = (params: Params, candidate: number, voters: readonly number[]): Uint8Array =>
      electionCertificate(chain.consortium, params, { term: 2n, candidate, voters });
    // Aggregator 3 votes twice: both have three of four.
    await chain.ledger.submitElection(certificate(chain.params, 1, [0, 1, 3]));
    const second = certificate(chain.params, 2, [0, 2, 3]);
    expect((await refusalOf(chain.ledger, () => chain.ledger.submitElection(second))).code).to.equal("stale-term");
    expect((await chain.view.term()).leader).to.deep.equal(chain.params.da[1]?.key);
  });

  it("H11: a fault counts though no aggregator wants to say so", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch());
    const hidden = {
      ...chain.readings(
        {},
        chain.reports(([, ...others]) => others),
      ),
      aggFault: false,
    };
    expect(await refused(chain, hidden, { voters: [1, 2, 3] })).to.equal("wrong-agg-fault");
  });
});
