import { expect } from "chai";
import {
  VeilgridError,
  blockHash,
  decodeReadingLeaf,
  decodeSigned,
  headerCodec,
  proposalCodec,
  readingLeaf,
  toHex,
} from "@veilgrid/protocol";
import type { Conduct } from "../../src/da/proposer.js";
import { FIRST, Grid, outcome, outcomes } from "./grid.js";

const NEXT = { month: FIRST.month, k: FIRST.k + 1 };

/** A grid whose epoch is committed and whose first window is open. */
async function openGrid(options: ConstructorParameters<typeof Grid>[0] = {}): Promise<Grid> {
  const grid = await new Grid(options).start();
  await grid.commitEpoch(1, 4, 5);
  await grid.run(grid.window(FIRST).opens);
  return grid;
}

async function committed(
  grid: Grid,
  period = FIRST,
  seconds = 60,
): Promise<{ readonly round: number; readonly leaves: string[] }> {
  await grid.run(grid.window(period).freezes);
  await grid.until(async () => (await grid.view.readings(1, period)) !== undefined, seconds);
  const { number } = (await grid.view.readings(1, period)) as { number: bigint };
  const block = await grid.view.block(1, number);
  const { header } = (await grid.view.header(1, number)) as { header: { round: number } };
  return { round: header.round, leaves: (block?.block.leaves ?? []).map(toHex) };
}

describe("a leader", () => {
  it("commits period after period in their order, empty ones too, and everybody forgets them", async () => {
    const grid = await openGrid();
    const before = await grid.stored(0);
    grid.sendAll(1, FIRST, 5);
    expect((await committed(grid)).leaves).to.have.length(10);
    expect((await committed(grid, NEXT)).leaves).to.have.length(0);
    expect(await grid.view.readings(1, NEXT)).to.include({ aggFault: true, count: 0 });
    await grid.seconds(5);
    // Two lists fewer than before, and the mark of what is frozen.
    for (const da of [0, 1, 2, 3]) expect(await grid.stored(da), `da/Da${da}`).to.equal(before - 1);
    expect(grid.logged.filter(({ level }) => level === "warn")).to.deep.equal([]);
  });

  it("says in aggFault whether a reading is missing", async () => {
    const grid = await openGrid();
    for (let i = 0; i < 9; i += 1) grid.ask(i % 4, "reading", grid.reading(1, FIRST, i >> 1, i & 1));
    await committed(grid);
    expect(await grid.view.readings(1, FIRST)).to.include({ aggFault: true, count: 9 });
  });

  it("takes in what only the others acked, in one round more", async () => {
    const grid = await openGrid();
    const leader = await grid.leader();
    grid.network.drop(({ method, to }) => method === "forward" && to === `da/Da${leader}`);
    const others = [0, 1, 2, 3].filter((da) => da !== leader);
    const asked = grid.sendAll(1, FIRST, 5, others);
    await grid.seconds(2);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    const { round, leaves } = await committed(grid);
    expect(leaves).to.have.length(10);
    expect(round).to.equal(1);
  });

  it("has two readings of a PRID in the block where two are acked", async () => {
    const grid = await openGrid();
    grid.network.drop(({ method }) => method === "forward");
    grid.ask(0, "reading", grid.reading(1, FIRST, 0, 0, 1n));
    grid.ask(1, "reading", grid.reading(1, FIRST, 0, 0, 2n));
    grid.ask(2, "reading", grid.reading(1, FIRST, 0, 0, 3n));
    await grid.seconds(1);
    const { leaves } = await committed(grid);
    expect(leaves).to.have.length(2);
  });

  it("goes on where it was when it was killed in a round", async () => {
    const grid = await openGrid();
    const leader = await grid.leader();
    grid.sendAll(1, FIRST, 5);
    // The proposal goes out and the others vote, but the votes are lost.
    const lift = grid.network.drop(({ method, direction }) => method === "propose" && direction === "response");
    await grid.run(grid.window(FIRST).freezes + 1_000);
    grid.kill(leader);
    lift();
    await grid.boot(leader);
    const { round, leaves } = await committed(grid);
    expect([round, leaves.length]).to.deep.equal([1, 10]);
    expect((await grid.view.term()).term).to.equal(1n);
  });

  it("asks again each round while votes are lost", async () => {
    const grid = await openGrid();
    const lift = grid.network.drop(({ method }) => method === "propose");
    await grid.run(grid.window(FIRST).freezes + 15_000);
    lift();
    const { round } = await committed(grid);
    expect(round).to.equal(2);
  });

  it("counts no vote that is garbled, for another block, of another DA, or no vote at all", async () => {
    for (const spoil of [0, 1, 20, 58, 100]) {
      const grid = await openGrid();
      const leader = await grid.leader();
      const [a, b] = [(leader + 1) % 4, (leader + 2) % 4];
      // With one other down, the votes of both that are left are needed.
      grid.kill(b);
      const lift = grid.network.drop(({ method, direction, from, bytes }) => {
        if (method !== "propose" || direction !== "response" || from !== `da/Da${a}`) return false;
        bytes[spoil] = (bytes[spoil] as number) ^ 64;
        return false;
      });
      await grid.run(grid.window(FIRST).freezes + 12_000);
      expect(await grid.view.readings(1, FIRST), `byte ${spoil}`).to.equal(undefined);
      lift();
      await committed(grid);
    }
  });

  it("submits the same block again when the ledger could not take it", async () => {
    const grid = await openGrid();
    await grid.run(grid.window(FIRST).freezes - 1_000);
    grid.ledger.failure = new VeilgridError("mvcc-conflict", "head/1 was read", { blame: "nobody", retry: true });
    await grid.seconds(3);
    const tried = grid.ledger.calls.length;
    grid.ledger.failure = undefined;
    expect((await committed(grid)).round).to.equal(0);
    const blocks = grid.ledger.calls.slice(tried - 1).map(({ args }) => args[0]);
    expect(new Set(blocks).size).to.equal(1);
  });

  it("forms another block when the ledger refuses it", async () => {
    const grid = await openGrid();
    await grid.run(grid.window(FIRST).freezes - 1_000);
    grid.ledger.failure = new VeilgridError("endorse-refused", "no", {
      facts: { contract: "wrong-term" },
      blame: "caller",
    });
    await grid.seconds(3);
    grid.ledger.failure = undefined;
    expect((await committed(grid)).round).to.be.greaterThan(0);
  });

  it("is not believed by its own votes: two down, and nothing is committed until one is back", async () => {
    const grid = await openGrid();
    const leader = await grid.leader();
    const [a, b] = [(leader + 1) % 4, (leader + 2) % 4];
    grid.sendAll(1, FIRST, 5);
    await grid.seconds(2);
    grid.kill(a);
    grid.kill(b);
    const height = grid.ledger.calls.length;
    await grid.run(grid.window(FIRST).freezes + 1_800_000);
    expect(await grid.view.readings(1, FIRST)).to.equal(undefined);
    expect(grid.ledger.calls.length).to.equal(height);
    await grid.boot(a);
    expect((await committed(grid, FIRST, 120)).leaves).to.have.length(10);
  });

  describe("that leaves a reading out of every proposal", () => {
    it("is replaced, and the block is whole", async () => {
      const omitting: Conduct = { select: (all) => all.slice(1) };
      const conduct = { conduct: omitting };
      // Whoever is elected first omits; then he is one of the last f leaders, and an honest one follows.
      const first = await firstLeader();
      const grid = await openGrid({ aggregators: { [first]: conduct } });
      expect(await grid.leader()).to.equal(first);
      grid.sendAll(1, FIRST, 5);
      const { leaves } = await committed(grid, FIRST, 300);
      expect(leaves).to.have.length(10);
      expect((await grid.view.term()).term).to.equal(2n);
      expect(await grid.leader()).not.to.equal(first);
    });

    it("proposes one block a round all the same, though it has no vote of its own on the disk when it is killed", async () => {
      const first = await firstLeader();
      const grid = await openGrid({ aggregators: { [first]: { conduct: { select: (all) => all.slice(1) } } } });
      const proposed = new Map<string, Set<string>>();
      grid.network.drop(({ method, direction, bytes }) => {
        if (method !== "propose" || direction !== "request") return false;
        const { header } = decodeSigned(proposalCodec, bytes, 1800).body;
        const place = `${header.region}/${header.number}/${header.term}/${header.round}`;
        proposed.set(place, (proposed.get(place) ?? new Set()).add(toHex(blockHash(headerCodec.encode(header)))));
        return false;
      });
      grid.sendAll(1, FIRST, 5);
      await grid.run(grid.window(FIRST).freezes + 200);
      expect(proposed.size).to.equal(1);
      grid.kill(first);
      await grid.boot(first);
      await grid.seconds(3);
      expect(proposed.size).to.be.greaterThan(1);
      for (const [place, hashes] of proposed) expect(hashes.size, place).to.equal(1);
    });

    async function firstLeader(): Promise<number> {
      const grid = await openGrid();
      return grid.leader();
    }
  });

  it("puts nothing into a block but what the meters sent", async () => {
    const grid = await openGrid();
    const asked = grid.sendAll(1, FIRST, 5);
    const { leaves } = await committed(grid);
    expect(asked.map(outcome)).to.deep.equal(Array(10).fill("accepted"));
    const sent = Array.from({ length: 10 }, (_, i) => toHex(readingLeaf(grid.reading(1, FIRST, i >> 1, i & 1))));
    expect(leaves).to.deep.equal(sent.sort());
    expect(decodeReadingLeaf(readingLeaf(grid.reading(1, FIRST, 0, 0))).rc).to.equal(1n);
  });
});
