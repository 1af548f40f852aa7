import { expect } from "chai";
import {
  BASIS,
  KIND,
  MASK_STATUS,
  decodeReadingLeaf,
  encodeParamsLeaf,
  maskCodec,
  paramsCodec,
  priceCodec,
  sub,
  sum,
  toSigned,
  type Mask,
  type Price,
} from "@veilgrid/protocol";
import {
  decodeLists,
  decodeResponse,
  encodeLists,
  encodeListsWish,
  encodeTransaction,
} from "../../src/transport/envelopes.js";
import { SECRETS } from "../support/committee.js";
import { FIRST, Grid, outcome, outcomes, type Asked } from "./grid.js";

const NEXT = { month: FIRST.month, k: FIRST.k + 1 };
/** The month before, of which no period has an epoch. */
const EARLIER = FIRST.month - 1;
const Z = 12_345n;

/** A grid whose regions have their first readings block. */
async function committedGrid(regions: readonly number[] = [1]): Promise<Grid> {
  const grid = await new Grid().start();
  for (const region of regions) await grid.commitEpoch(region, 4, 5);
  await grid.run(grid.window(FIRST).opens);
  for (const region of regions) grid.sendAll(region, FIRST, 5);
  await grid.run(grid.window(FIRST).freezes + 5_000);
  return grid;
}

async function maskOf(
  grid: Grid,
  region: number,
  change: Partial<Mask> = {},
  secret = SECRETS.kgcbp,
): Promise<Uint8Array> {
  const cbh = (await grid.view.readings(region, FIRST))?.cbh ?? new Uint8Array(32);
  const body: Mask = { region, period: FIRST, cbh, status: MASK_STATUS.released, z: Z, excluded: [], ...change };
  return encodeTransaction({ kind: KIND.masks, leaf: grid.issued("mask", maskCodec, body, secret) });
}

async function priceOf(grid: Grid, region: number, change: Partial<Price> = {}): Promise<Uint8Array> {
  const readings = await grid.view.readings(region, FIRST);
  const block = await grid.view.block(region, readings?.number ?? 0n);
  const rcs = (block?.block.leaves ?? []).map((leaf) => decodeReadingLeaf(leaf).rc);
  const body: Price = {
    region,
    period: FIRST,
    price: 300_000n,
    basis: BASIS.measured,
    consumption: toSigned(sub(sum(rcs), Z)),
    cbh: readings?.cbh ?? new Uint8Array(32),
    ...change,
  };
  return encodeTransaction({ kind: KIND.prices, leaf: grid.issued("price", priceCodec, body, SECRETS.cc) });
}

describe("a transaction", () => {
  it("is accepted once it is valid and durable, committed, and then forgotten", async () => {
    const grid = await committedGrid();
    const mask = await maskOf(grid, 1);
    const asked = grid.all("transaction", mask);
    await grid.seconds(3);
    expect(outcomes(asked)).to.deep.equal({ accepted: 4 });
    expect(await grid.view.mask(1, FIRST)).to.deep.include({ status: 1, z: Z });
    const priced = grid.all("transaction", await priceOf(grid, 1));
    await grid.seconds(3);
    expect(outcomes(priced)).to.deep.equal({ accepted: 4 });
    expect((await grid.view.price(1, FIRST))?.price).to.equal(300_000n);
    for (const da of [0, 1, 2, 3]) {
      expect(await grid.store(da).range("pending/"), `da/${da}`).to.deep.equal([]);
      expect(grid.aggregator(da).standing.busy, `da/${da}`).to.equal(false);
    }
    // Sent again it is refused: the period has its release.
    const again = grid.ask(0, "transaction", mask, "kgcbp");
    await grid.seconds(1);
    expect(outcome(again)).to.equal("bad-block");
  });

  it("shares a block with those of other regions", async () => {
    const grid = await committedGrid([1, 2]);
    grid.all("transaction", await maskOf(grid, 2));
    await grid.seconds(0.3);
    grid.all("transaction", await maskOf(grid, 1));
    await grid.seconds(5);
    const [first, second] = [await grid.view.mask(1, FIRST), await grid.view.mask(2, FIRST)];
    expect([first?.number, first?.index, second?.number, second?.index]).to.deep.equal([1n, 0, 1n, 1]);
  });

  it("shares it with 255 others at most, for an endorser has seconds for a block; the rest have the next one", async () => {
    const grid = await committedGrid();
    const terms = { price: 0n, basis: BASIS.noEpoch, consumption: 0n, cbh: new Uint8Array(32) };
    const price = (k: number): Promise<Uint8Array> => priceOf(grid, 1, { ...terms, period: { month: EARLIER, k } });
    for (let k = 0; k < 300; k += 1) grid.all("transaction", await price(k));
    await grid.seconds(10);
    const sizes: number[] = [];
    for (let number = 1n; number <= 2n; number += 1n)
      sizes.push((await grid.view.header(0, number))?.header.count ?? 0);
    expect(sizes).to.deep.equal([256, 44]);
  });

  it("is the same however often it comes, and another for the same period waits for it", async () => {
    const grid = await committedGrid();
    const mask = await maskOf(grid, 1);
    const other = await maskOf(grid, 1, { z: Z + 1n });
    // Straight to one aggregator, before anything is committed.
    const answers: Asked[] = [{}, {}, {}];
    for (const [i, bytes] of [mask, mask, other].entries()) {
      await grid
        .aggregator(0)
        .handle("transaction", bytes, (response) => ((answers[i] as Asked).response = response), "kgcbp");
    }
    expect(answers.map(outcome)).to.deep.equal(["accepted", "accepted", "bad-block"]);
  });

  it("is refused from anybody but its issuer, too early, for another block, of no kind, and malformed", async () => {
    const grid = await committedGrid();
    const refused = [
      await maskOf(grid, 1, {}, SECRETS.cc),
      await maskOf(grid, 1, { cbh: new Uint8Array(32).fill(1) }),
      await maskOf(grid, 1, { period: NEXT }),
      await priceOf(grid, 1),
    ].map((bytes) => grid.ask(0, "transaction", bytes, "kgcbp"));
    const readings = encodeTransaction({ kind: KIND.readings, leaf: new Uint8Array(104) });
    const noMask = encodeTransaction({ kind: KIND.masks, leaf: new Uint8Array(200) });
    const malformed = [readings, noMask, new Uint8Array(), Uint8Array.of(99, 1)].map((bytes) =>
      grid.ask(0, "transaction", bytes, "kgcbp"),
    );
    await grid.seconds(1);
    expect(refused.map(outcome)).to.deep.equal(Array(4).fill("bad-block"));
    expect(malformed.map(outcome)).to.deep.equal(Array(4).fill("malformed"));
    expect(await grid.store(0).range("pending/")).to.deep.equal([]);
  });

  it("survives all aggregators", async () => {
    const grid = await committedGrid();
    grid.all("transaction", await maskOf(grid, 1));
    await grid.seconds(0.2);
    expect(await grid.view.mask(1, FIRST)).to.equal(undefined);
    for (const da of [0, 1, 2, 3]) grid.kill(da);
    for (const da of [0, 1, 2, 3]) await grid.boot(da);
    await grid.seconds(5);
    expect((await grid.view.mask(1, FIRST))?.z).to.equal(Z);
  });

  it("is dropped where a commit overtakes it: a late release's price by the release", async () => {
    const grid = await committedGrid();
    await grid.run(grid.window(FIRST).closes + grid.params.releaseSeconds * 1000);
    const late = { basis: BASIS.lateRelease, consumption: 0n };
    grid.all("transaction", await priceOf(grid, 1, late));
    grid.all("transaction", await maskOf(grid, 1));
    await grid.seconds(10);
    expect((await grid.view.mask(1, FIRST))?.status).to.equal(1);
    expect(await grid.view.price(1, FIRST)).to.equal(undefined);
    for (const da of [0, 1, 2, 3]) expect(await grid.store(da).range("pending/")).to.deep.equal([]);
  });

  it("may be a new parameter set, if Q operators approve it; then everybody goes on by it", async () => {
    const grid = await committedGrid();
    const params = { ...grid.params, version: 2, roundSeconds: 5 };
    const leaf = encodeParamsLeaf(paramsCodec.encode(params), []);
    // Nobody signs it but its new keys, and it has none: what comes over the network is not taken.
    const asked = grid.all("transaction", encodeTransaction({ kind: KIND.params, leaf }));
    await grid.seconds(5);
    expect(outcomes(asked)).to.deep.equal({ "bad-block": 4 });
    const leader = await grid.leader();
    await grid.aggregator(leader).approveParams(leaf);
    await grid.aggregator((leader + 1) % 4).approveParams(leaf);
    await grid.seconds(15);
    expect((await grid.view.currentParams()).version).to.equal(1);
    // Q operators have to agree.
    await grid.aggregator((leader + 2) % 4).approveParams(leaf);
    await grid.until(async () => (await grid.view.currentParams()).version === 2, 60);
    // Its epoch keeps the old version; chain 0 and elections have the new one.
    await grid.run(grid.window(NEXT).freezes + 5_000);
    const readings = await grid.view.readings(1, NEXT);
    expect((await grid.view.header(1, readings?.number ?? 0n))?.header.params).to.equal(1);
    grid.all("transaction", await maskOf(grid, 1));
    await grid.seconds(5);
    expect((await grid.view.header(0, 2n))?.header).to.include({ params: 2, kind: KIND.masks });
    grid.kill(await grid.leader());
    await grid.run(grid.window({ ...NEXT, k: NEXT.k + 1 }).freezes + 60_000);
    expect((await grid.view.term()).term).to.equal(2n);
  });
});

describe("an epoch", () => {
  it("waits for its lists, without which nobody votes", async () => {
    const grid = await new Grid().start();
    const { transaction, lists } = grid.epoch(1, FIRST, 2, 5);
    expect(outcomes(await sent(grid, "lists", lists))).to.deep.equal({ "no-epoch": 4 });
    expect(outcomes(await sent(grid, "transaction", transaction))).to.deep.equal({ accepted: 4 });
    await grid.seconds(300);
    expect((await grid.view.term()).term).to.equal(0n);
    expect(outcomes(await sent(grid, "lists", lists))).to.deep.equal({ accepted: 4 });
    await grid.until(async () => (await grid.view.epochAt(1, FIRST)) !== undefined, 60);
  });

  async function sent(
    grid: Grid,
    method: "lists" | "transaction",
    bytes: Uint8Array,
  ): Promise<ReturnType<Grid["all"]>> {
    const asked = grid.all(method, bytes);
    await grid.seconds(1);
    return asked;
  }

  it("is not proved by other lists: one PRID less, more or changed, or those of another period", async () => {
    const grid = await new Grid().start();
    const { transaction } = grid.epoch(1, FIRST, 1, 5);
    await sent(grid, "transaction", transaction);
    const good = grid.prids(1, FIRST, 5);
    const lists = [good.slice(1), grid.prids(1, FIRST, 6), grid.prids(1, NEXT, 5), []];
    for (const list of lists) {
      const request = Uint8Array.of(1, ...encodeLists({ region: 1, first: FIRST, lists: [list] }));
      expect(outcomes(await sent(grid, "lists", request))).to.deep.equal({ "no-epoch": 4 });
    }
  });

  it("spreads from who has its lists to who has not", async () => {
    const grid = await new Grid().start();
    const { transaction, lists } = grid.epoch(1, FIRST, 2, 5);
    await sent(grid, "transaction", transaction);
    // KGCBP reaches one aggregator only; it alone sees that something is due, until others have the lists too.
    for (const da of [0, 1, 2]) grid.ask(da, "lists", lists, "kgcbp");
    await grid.until(async () => (await grid.view.epochAt(1, FIRST)) !== undefined, 120);
    await grid.seconds(15);
    const wish = grid.ask(3, "lists", encodeListsWish({ region: 1, first: FIRST, periods: 48 }), "da/Da0");
    await grid.seconds(1);
    const decoded = decodeResponse(wish.response as Uint8Array);
    if (decoded.tag !== "accepted") throw new Error("no lists");
    expect(decodeLists(decoded.body).lists).to.deep.equal([grid.prids(1, FIRST, 5), grid.prids(1, NEXT, 5)]);
  });

  it("is caught up with by who was away when it was sent", async () => {
    const grid = await new Grid().start([3]);
    await grid.commitEpoch(1, 4, 5);
    await grid.boot(3);
    await grid.seconds(5);
    await grid.run(grid.window(FIRST).opens);
    const asked = grid.sendAll(1, FIRST, 5, [3]);
    await grid.seconds(2);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
  });

  it("that missed its time is dropped, and nobody waits for it", async () => {
    const grid = await new Grid().start([2, 3]);
    const { transaction, lists } = grid.epoch(1, FIRST, 2, 5);
    await sent(grid, "transaction", transaction);
    await sent(grid, "lists", lists);
    await grid.seconds(60);
    expect(grid.aggregator(0).standing.busy).to.equal(true);
    await grid.run(grid.window(FIRST).opens + 700_000);
    expect([0, 1].map((da) => grid.aggregator(da).standing.busy)).to.deep.equal([false, false]);
    expect(grid.clock.waiting).to.equal(0);
  });
});
