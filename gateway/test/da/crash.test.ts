import { expect } from "chai";
import { decodeSigned, electionCodec, readingLeaf, toHex, voteCodec } from "@veilgrid/protocol";
import type { Change, Store } from "../../src/ports/store.js";
import { SeededRandom } from "../../src/random.js";
import { MemoryStore } from "../../src/store/memory.js";
import { decodeResponse } from "../../src/transport/envelopes.js";
import { FIRST, Grid, outcome } from "./grid.js";

/** Half of the runs die before the write is on disk, half after it. */
class Crash extends Error {
  constructor() {
    super("the process is killed");
  }
}

/** Counts the writes of all stores of a process, and kills it at one of them. */
class Fuse {
  #left: number;
  readonly #after: boolean;

  constructor(writes: number, after: boolean) {
    this.#left = writes;
    this.#after = after;
  }

  async write(store: Store, changes: readonly Change[]): Promise<void> {
    this.#left -= 1;
    if (this.#left !== 0) return store.write(changes);
    if (this.#after) await store.write(changes);
    throw new Crash();
  }
}

/** A store on a disk that outlives the process. */
function fused(fuse: { current: Fuse }): Store {
  const disk = new MemoryStore();
  return {
    get: (key) => disk.get(key),
    range: (prefix) => disk.range(prefix),
    write: (changes) => fuse.current.write(disk, changes),
  };
}

/** Sends a reading to one aggregator after the other until it has its receipt or the window is over. */
function persistent(grid: Grid, signed: Uint8Array, to: number, closes: number, receipted: Set<string>): void {
  const asked = grid.ask(to, "reading", signed);
  grid.clock.at(grid.clock.now() + 12_000, "meter", () => {
    if (outcome(asked) === "accepted") receipted.add(toHex(readingLeaf(signed)));
    else if (grid.clock.now() < closes) persistent(grid, signed, (to + 1) % 4, closes, receipted);
  });
}

/** What each DA signed where it may sign once: "who/where" to the bytes. */
function watch(grid: Grid, broken: string[]): void {
  const said = new Map<string, string>();
  const once = (where: string, what: Uint8Array): void => {
    const before = said.get(where);
    if (before !== undefined && before !== toHex(what)) broken.push(where);
    said.set(where, toHex(what));
  };
  grid.network.drop(({ method, direction, bytes }) => {
    if (direction === "request" || (method !== "propose" && method !== "elect")) return false;
    const decoded = decodeResponse(bytes);
    if (decoded.tag !== "accepted") return false;
    if (method === "propose") {
      const { da, region, number, term, round, cbh } = decodeSigned(voteCodec, decoded.body).body;
      once(`vote ${da} ${region} ${number.toString()} ${term.toString()} ${round}`, cbh);
    } else {
      const { voter, term, candidate } = decodeSigned(electionCodec, decoded.body).body;
      once(`election ${voter} ${term.toString()}`, Uint8Array.of(candidate));
    }
    return false;
  });
}

describe("kill -9 of all aggregators in the middle of a write", () => {
  const random = SeededRandom.of("crashes");

  async function runWithCrashes(
    run: number,
  ): Promise<{ grid: Grid; receipted: Set<string>; broken: string[]; crashes: number }> {
    const fuse = { current: new Fuse(0, false) };
    const light = (n: number): void => {
      fuse.current = new Fuse(1 + random.below(40, "writes", run, n), random.below(2, "after", run, n) === 1);
    };
    const grid = new Grid({ storeOf: () => fused(fuse), seed: run });
    let crashes = 0;
    const surviving = async (work: () => Promise<unknown>): Promise<void> => {
      for (;;) {
        try {
          await work();
          return;
        } catch (error) {
          const cause = error instanceof Crash ? error : (error as { cause?: unknown }).cause;
          if (!(cause instanceof Crash)) throw error;
          crashes += 1;
          // It dies a few times, then it is left alone.
          if (crashes < 8) light(crashes);
          for (const da of [0, 1, 2, 3]) grid.kill(da);
          await surviving(async () => {
            for (const da of [0, 1, 2, 3]) if (grid.seats[da]?.aggregator === undefined) await grid.boot(da);
          });
        }
      }
    };
    const broken: string[] = [];
    const receipted = new Set<string>();
    await grid.start();
    watch(grid, broken);
    const { transaction, lists } = grid.epoch(1, FIRST, 2, 5);
    light(0);
    const { opens, closes, freezes } = grid.window(FIRST);
    // KGCBP repeats what is not committed yet.
    while ((await grid.view.epochAt(1, FIRST)) === undefined) {
      grid.all("transaction", transaction);
      await surviving(() => grid.seconds(5));
      grid.all("lists", lists);
      await surviving(() => grid.seconds(25));
    }
    await surviving(() => grid.run(opens));
    for (let i = 0; i < 10; i += 1) {
      const at = opens + random.below(500_000, "send", run, i);
      grid.clock.at(at, "meter", () => {
        persistent(grid, grid.reading(1, FIRST, i >> 1, i & 1), i % 4, closes, receipted);
      });
    }
    await surviving(() => grid.run(freezes));
    for (let i = 0; i < 60 && (await grid.view.readings(1, FIRST)) === undefined; i += 1) {
      await surviving(() => grid.seconds(10));
    }
    return { grid, receipted, broken, crashes };
  }

  it("loses nothing that was receipted, doubles nothing, and nobody says two things", async () => {
    let crashes = 0;
    for (let run = 1; run <= 12; run += 1) {
      const result = await runWithCrashes(run);
      crashes += result.crashes;
      const { grid, receipted } = result;
      const where = `run ${run}, ${result.crashes} crashes`;
      const record = await grid.view.readings(1, FIRST);
      expect(record, where).not.to.equal(undefined);
      const block = await grid.view.block(1, record?.number ?? 0n);
      const leaves = (block?.block.leaves ?? []).map(toHex);
      expect(new Set(leaves).size, where).to.equal(leaves.length);
      expect(leaves, where).to.include.members([...receipted]);
      expect(receipted.size, where).to.equal(10);
      expect(result.broken, where).to.deep.equal([]);
    }
    expect(crashes).to.be.greaterThan(40);
  });
});
