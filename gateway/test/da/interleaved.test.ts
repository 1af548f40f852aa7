import { expect } from "chai";
import {
  LedgerView,
  VerifiedSignatures,
  electionCodec,
  schnorr,
  sha256,
  utf8,
  voteCodec,
  type Election,
  type Vote,
} from "@veilgrid/protocol";
import { Ballots } from "../../src/da/ballots.js";
import { LeaderVotes } from "../../src/da/leader-votes.js";
import { Membership } from "../../src/da/membership.js";
import { Pools, heldReading, type HeldReading } from "../../src/da/pool.js";
import type { Change, Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { Committee, SECRETS } from "../support/committee.js";

/** A disk that does nothing before it is told to: what a role says meanwhile it says too early. */
class SlowStore implements Store {
  readonly kept = new MemoryStore();
  readonly #waiting: (() => Promise<void>)[] = [];

  get(key: string): Uint8Array | undefined {
    return this.kept.get(key);
  }

  range(prefix: string): ReturnType<Store["range"]> {
    return this.kept.range(prefix);
  }

  write(changes: readonly Change[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(() => this.kept.write(changes).then(resolve));
    });
  }

  /** How many writes wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does what was asked for, in its order. */
  async catchUp(): Promise<void> {
    for (const write of this.#waiting.splice(0)) await write();
    await Promise.resolve();
  }
}

/** What becomes of promises while others wait. */
function watch<T>(...promises: readonly Promise<T>[]): readonly { value?: T }[] {
  return promises.map((promise) => {
    const seen: { value?: T } = {};
    void promise.then((value) => {
      seen.value = value;
    });
    return seen;
  });
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const CBH = [sha256(utf8("one block")), sha256(utf8("another"))] as const;

function voteFor(cbh: Uint8Array, round = 0): Vote {
  return { params: 1, region: 1, number: 1n, term: 1n, round, cbh, da: 0 };
}

describe("a vote that is on its way to the disk", () => {
  it("is not given a second time before it is there, and no other instead", async () => {
    const store = new SlowStore();
    const ballots = new Ballots({ store });
    const seen = watch(ballots.cast(voteFor(CBH[0])), ballots.cast(voteFor(CBH[0])), ballots.cast(voteFor(CBH[1])));
    await turn();
    expect(seen).to.deep.equal([{}, {}, {}]);
    await store.catchUp();
    await turn();
    expect(seen).to.deep.equal([{ value: true }, { value: true }, { value: false }]);
    expect(voteCodec.decode(store.get("vote/0001") as Uint8Array)).to.deep.equal(voteFor(CBH[0]));
  });
});

describe("a vote for a leader that is on its way to the disk", () => {
  async function leaderVotes(store: Store): Promise<LeaderVotes> {
    const committee = new Committee();
    await committee.setUp();
    const modules = { view: new LedgerView(committee), memory: new VerifiedSignatures(0) };
    const membership = new Membership([SECRETS.da[0] as Uint8Array], modules);
    await membership.refresh();
    return new LeaderVotes({ store, membership });
  }

  const voteOf = (candidate: number, term = 2n): Election => ({ params: 1, term, candidate, voter: 0 });

  it("is this term's: of two candidates at once one has it", async () => {
    const store = new SlowStore();
    const votes = await leaderVotes(store);
    const seen = watch(votes.cast(voteOf(1)), votes.cast(voteOf(2)), votes.cast(voteOf(1)));
    await turn();
    expect(seen).to.deep.equal([{}, { value: false }, {}]);
    await store.catchUp();
    await turn();
    expect(seen).to.deep.equal([{ value: true }, { value: false }, { value: true }]);
    const kept = store.get("ballot") as Uint8Array;
    expect(electionCodec.decode(kept)).to.deep.equal(voteOf(1));
  });

  it("is read back in the next life", async () => {
    const store = new MemoryStore();
    await (await leaderVotes(store)).cast(voteOf(1));
    const again = await leaderVotes(store);
    expect([await again.cast(voteOf(3)), await again.cast(voteOf(1)), again.hadVote(3n, 1)]).to.deep.equal([
      false,
      true,
      true,
    ]);
  });
});

describe("readings that are on their way to the disk", () => {
  const SLOT = "000100005e5b0000";

  function readingOf(n: number): HeldReading {
    const signed = new Uint8Array(113).fill(n);
    signed.set(schnorr.publicKey(sha256(Uint8Array.of(n))), 9);
    return heldReading(signed);
  }

  it("are all kept, where two bundles at once begin with the same one", async () => {
    const store = new SlowStore();
    const pools = new Pools({ store });
    const pool = pools.open(SLOT);
    const [shared, second, third] = [readingOf(1), readingOf(2), readingOf(3)];
    for (const reading of [shared, second, third]) pool.claim(reading);
    const written = [
      pools.persist({ slot: SLOT, pool }, "a", [shared, second]),
      pools.persist({ slot: SLOT, pool }, "a", [shared, third]),
    ];
    await store.catchUp();
    await Promise.all(written);
    const again = new Pools({ store: store.kept });
    await again.load();
    const ids = again
      .open(SLOT)
      .acked()
      .map(({ id }) => id);
    expect(new Set(ids)).to.deep.equal(new Set([shared.id, second.id, third.id]));
  });

  it("leave nothing behind where the period's block is committed meanwhile", async () => {
    const store = new SlowStore();
    const pools = new Pools({ store });
    const pool = pools.open(SLOT);
    const reading = readingOf(1);
    pool.claim(reading);
    const written = pools.persist({ slot: SLOT, pool }, "a", [reading]);
    expect(pools.drop(SLOT)).to.deep.equal([]);
    await store.catchUp();
    await turn();
    await store.catchUp();
    await written;
    expect([store.kept.size, pools.slots]).to.deep.equal([0, []]);
    await pools.persist({ slot: SLOT, pool }, "n", [reading]);
    expect([store.waiting, store.kept.size]).to.deep.equal([0, 0]);
  });
});
