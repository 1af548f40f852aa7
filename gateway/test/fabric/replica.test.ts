import { toHex, utf8, type Facts, type VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import { Replica, type ReplicaOptions } from "../../src/fabric/replica.js";
import type { LedgerEvent } from "../../src/ports/ledger.js";
import type { Change, Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { REAL_BLOCKS } from "./channel.js";
import { forgeChain, txId, type Forged, type Link } from "./forge.js";
import { HandTime, ListPeer, settled } from "./peers.js";

const CHAINCODE = "veilgrid";

/** A transaction that puts a value under a key, and says so. */
function put(key: string, value: string, more: Forged = {}): Forged {
  return { args: ["put", key], writes: { veilgrid: [[key, utf8(value)]] }, event: ["put", utf8(value)], ...more };
}

const CHAIN = forgeChain([
  [],
  [put("a", "1", { txId: txId(1) })],
  [put("a", "2", { txId: txId(2) }), put("b", "9", { txId: txId(3), code: 11 }), put("c", "3", { txId: txId(4) })],
  [{ args: ["del"], writes: { veilgrid: [["c"]], other: [["a", utf8("no")]] }, txId: txId(5) }],
  [put("d", "4", { txId: txId(6) })],
]);
const EVENTS = ["1:1:put:1", "2:2:put:2", "2:4:put:3", "4:6:put:4"];

async function said(events: AsyncIterable<LedgerEvent>): Promise<string[]> {
  const all: string[] = [];
  for await (const { blockNumber, txId: id, name, payload } of events) {
    all.push(`${blockNumber}:${Number(`0x${id}`)}:${name}:${Buffer.from(payload).toString()}`);
  }
  return all;
}

async function failure(work: Promise<unknown>): Promise<VeilgridError> {
  return work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error as VeilgridError,
  );
}

describe("a replica of the state", () => {
  const time = new HandTime();
  const opened: Replica[] = [];
  let logged: string[] = [];

  beforeEach(() => {
    logged = [];
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((replica) => replica.close()));
  });

  function log(level: string, event: string, { source, code, next }: Facts = {}): void {
    logged.push([level, event, source, code, next].join(" "));
  }

  async function open(options: Pick<ReplicaOptions, "sources"> & Partial<ReplicaOptions>): Promise<Replica> {
    const replica = await Replica.open({
      store: new MemoryStore(),
      chaincode: CHAINCODE,
      patience: time,
      log,
      ...options,
    });
    opened.push(replica);
    return replica;
  }

  async function stateOf({ state }: Replica): Promise<(string | undefined)[]> {
    const values = await Promise.all(["a", "b", "c", "d"].map((key) => state.get(key)));
    return values.map((value) => value && Buffer.from(value).toString());
  }

  it("has the writes and events of valid transactions, and the hash of the last header", async () => {
    const replica = await open({ sources: [new ListPeer("A", CHAIN)] });
    await replica.reached(4n);
    expect(await stateOf(replica)).to.deep.equal(["2", undefined, undefined, "4"]);
    expect(replica.height).to.equal(5n);
    expect(toHex(replica.tip)).to.equal(toHex((CHAIN[4] as Link).hash));
    expect(await said(replica.events(0n))).to.deep.equal(EVENTS);
    expect(await said(replica.events(2n))).to.deep.equal(EVENTS.slice(1));
    expect(await said(replica.events(5n))).to.deep.equal([]);
    expect(logged).to.deep.equal([]);
  });

  it("has what a real channel set up", async () => {
    const chain = REAL_BLOCKS.map((raw) => ({ raw, hash: new Uint8Array() }));
    const replica = await open({ sources: [new ListPeer("A", chain)] });
    await replica.reached(8n);
    expect(toHex(replica.tip)).to.match(/^cc919370/);
    expect(toHex(replica.commitHash as Uint8Array)).to.match(/^979a6334/);
    expect(toHex((await replica.state.get("params")) as Uint8Array)).to.equal("0001");
    const numbers: bigint[] = [];
    for await (const { number } of replica.blocks(0n)) numbers.push(number);
    expect(numbers).to.deep.equal([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
  });

  it("goes on where it was, having the peer confirm its last block first", async () => {
    const store = new MemoryStore();
    const first = await open({ store, sources: [new ListPeer("A", CHAIN.slice(0, 3))] });
    await first.reached(2n);
    await first.close();
    const peer = new ListPeer("A", CHAIN);
    const second = await open({ store, sources: [peer] });
    expect(second.height).to.equal(3n);
    expect(await said(second.events(0n))).to.deep.equal(EVENTS.slice(0, 3));
    await second.reached(4n);
    expect(peer.asked).to.deep.equal([2n]);
    expect(await stateOf(second)).to.deep.equal(["2", undefined, undefined, "4"]);
    expect(await said(second.events(0n))).to.deep.equal(EVENTS);
  });

  for (const lost of [0, 1, 2, 3, 4]) {
    it(`leaves no block half taken when it ends in the middle of block ${lost}`, async () => {
      const store = new MemoryStore();
      const failing = new FailingStore(store, lost);
      const first = await open({ store: failing, sources: [new ListPeer("A", CHAIN)] });
      expect(await failure(first.reached(4n))).to.include({ code: "ledger-unavailable" });
      expect(first.height).to.equal(BigInt(lost));
      const second = await open({ store, sources: [new ListPeer("A", CHAIN)] });
      expect(second.height).to.equal(BigInt(lost));
      await second.reached(4n);
      expect(await stateOf(second)).to.deep.equal(["2", undefined, undefined, "4"]);
      expect(await said(second.events(0n))).to.deep.equal(EVENTS);
    });
  }

  it("asks a peer once more whose stream broke off, and then goes to the next", async () => {
    const [a, b] = [new ListPeer("A", CHAIN.slice(0, 2)), new ListPeer("B", CHAIN)];
    const replica = await open({ sources: [a, b] });
    await replica.reached(1n);
    a.failure = new Error("connection lost");
    a.wake();
    await replica.reached(4n);
    expect(a.asked).to.deep.equal([0n, 1n]);
    expect(b.asked).to.deep.equal([1n]);
    expect(await said(replica.events(0n))).to.deep.equal(EVENTS);
    expect(logged).to.deep.equal(["warn ledger-source-left A ledger-unavailable B"]);
  });

  it("leaves a peer that gives no block which others have, and no quiet one", async () => {
    const [a, b] = [new ListPeer("A", CHAIN.slice(0, 2)), new ListPeer("B", CHAIN.slice(0, 2))];
    const replica = await open({ sources: [a, b] });
    await replica.reached(1n);
    await time.pass(1_000_000);
    expect([a.asked, b.asked]).to.deep.equal([[0n], []]);
    a.isFrozen = true;
    for (const peer of [a, b]) peer.push(CHAIN[2] as Link);
    const reached = replica.reached(2n);
    await time.pass(2999);
    expect(replica.height).to.equal(2n);
    await time.pass(1);
    await reached;
    expect([a.open, b.open]).to.deep.equal([0, 1]);
    expect(logged).to.deep.equal(["warn ledger-source-left A ledger-stalled B"]);
  });

  it("comes back to the preferred peer when that has what is here", async () => {
    const [a, b] = [new ListPeer("A", CHAIN.slice(0, 2)), new ListPeer("B", CHAIN)];
    a.isFrozen = true;
    const replica = await open({ sources: [a, b] });
    const reached = replica.reached(4n);
    await time.pass(3000);
    await reached;
    await time.pass(100_000);
    expect([a.open, b.open]).to.deep.equal([0, 1]);
    a.isFrozen = false;
    a.push(...CHAIN.slice(2));
    await time.pass(40_000);
    expect([a.open, b.open]).to.deep.equal([1, 0]);
    expect(logged).to.deep.equal([
      "warn ledger-source-left A ledger-stalled B",
      "info ledger-source-left B preferred A",
    ]);
  });

  it("says when no peer gives a block, each having had its time twice", async () => {
    const peers = [new ListPeer("A", CHAIN), new ListPeer("B", CHAIN)];
    const replica = await open({ sources: peers });
    await replica.reached(4n);
    const error = failure(replica.reached(5n));
    await time.pass(2 * 2 * 3000);
    expect((await error).code).to.equal("ledger-stalled");
    expect((await error).facts).to.deep.equal({ source: "A, B", block: "5", milliseconds: 3000 });
    for (const peer of peers) peer.push(...forgeChain([[]], CHAIN).slice(-1));
    await replica.reached(5n);
  });

  it("pauses longer and longer while every peer fails", async () => {
    const peers = [new ListPeer("A", CHAIN), new ListPeer("B", CHAIN)];
    for (const peer of peers) peer.failure = new Error("connection refused");
    await open({ sources: peers });
    await settled();
    const asked = (): number => peers.reduce((sum, { asked: numbers }) => sum + numbers.length, 0);
    const counts: number[] = [];
    for (const milliseconds of [0, 199, 1, 400, 800, 1600, 3200, 5000, 5000]) {
      await time.pass(milliseconds);
      counts.push(asked());
    }
    expect(counts).to.deep.equal([2, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("ends waiting when it is closed, and every stream", async () => {
    const peer = new ListPeer("A", CHAIN);
    const replica = await open({ sources: [peer] });
    const error = failure(replica.reached(9n));
    await settled();
    await replica.close();
    expect(await error).to.include({ code: "ledger-unavailable" });
    await settled();
    expect(peer.open).to.equal(0);
  });

  it("refuses a store that is of another chaincode, or is damaged", async () => {
    const store = new MemoryStore();
    const replica = await open({ store, sources: [new ListPeer("A", CHAIN)] });
    await replica.reached(4n);
    await replica.close();
    const other = { store, sources: [new ListPeer("A", CHAIN)], chaincode: "other" };
    expect(await failure(Replica.open(other))).to.include({ code: "replica-damaged" });
    await store.write([{ key: "tip", value: utf8("?") }]);
    expect(await failure(Replica.open({ ...other, chaincode: CHAINCODE }))).to.include({ code: "replica-damaged" });
  });
});

describe("a peer that contradicts what was seen", () => {
  const time = new HandTime();
  const opened: Replica[] = [];
  let logged: string[] = [];

  beforeEach(() => {
    logged = [];
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((replica) => replica.close()));
  });

  async function open(sources: readonly ListPeer[], store: Store = new MemoryStore()): Promise<Replica> {
    const log = (level: string, event: string, { source, code, next }: Facts = {}): void => {
      logged.push([level, event, source, code, next].join(" "));
    };
    const replica = await Replica.open({ store, sources, chaincode: CHAINCODE, patience: time, log });
    opened.push(replica);
    return replica;
  }

  const LEFT = "error ledger-source-left A ledger-forked B";
  /** Three blocks as in CHAIN, then another one. */
  const OTHER = forgeChain([[put("a", "evil", { txId: txId(9) })], []], CHAIN.slice(0, 3));
  /** Two blocks as in CHAIN, then others. */
  const OLDER = forgeChain([[], [], []], CHAIN.slice(0, 2));
  const skipping = [...CHAIN.slice(0, 3), CHAIN[4] as Link];
  const unchained = [...CHAIN.slice(0, 3), forgeChain([[], [], [], []])[3] as Link];
  const garbage = [...CHAIN.slice(0, 3), { raw: utf8("garbage"), hash: new Uint8Array() }];

  const cases = { "has another block": OTHER, "has other blocks before": OLDER };
  for (const [name, chain] of Object.entries(cases)) {
    it(`is left when it ${name}`, async () => {
      const [a, b] = [new ListPeer("A", CHAIN.slice(0, 4)), new ListPeer("B", CHAIN)];
      const store = new MemoryStore();
      const first = await open([a], store);
      await first.reached(3n);
      await first.close();
      const replica = await open([new ListPeer("A", chain), b], store);
      await replica.reached(4n);
      expect(Buffer.from((await replica.state.get("a")) as Uint8Array).toString()).to.equal("2");
      expect(await said(replica.events(0n))).to.deep.equal(EVENTS);
      expect(logged).to.deep.equal([LEFT]);
    });
  }

  it("is left when it has other verdicts on the last block", async () => {
    const codes = forgeChain([[put("a", "1", { txId: txId(1), code: 11 })], []], CHAIN.slice(0, 1));
    const store = new MemoryStore();
    const first = await open([new ListPeer("A", CHAIN.slice(0, 2))], store);
    await first.reached(1n);
    await first.close();
    expect(toHex((codes[1] as Link).hash)).to.equal(toHex((CHAIN[1] as Link).hash));
    const replica = await open([new ListPeer("A", codes), new ListPeer("B", CHAIN)], store);
    await replica.reached(4n);
    expect(logged).to.deep.equal([LEFT]);
  });

  const nexts = { "leaves out a block": skipping, "gives one that follows another": unchained };
  for (const [name, chain] of Object.entries(nexts)) {
    it(`is left when it ${name}`, async () => {
      const replica = await open([new ListPeer("A", chain), new ListPeer("B", CHAIN)]);
      await replica.reached(4n);
      expect(await said(replica.events(0n))).to.deep.equal(EVENTS);
      expect(logged).to.deep.equal([LEFT]);
    });
  }

  it("is left when it gives what is no block", async () => {
    const replica = await open([new ListPeer("A", garbage), new ListPeer("B", CHAIN)]);
    await replica.reached(4n);
    expect(logged).to.deep.equal(["warn ledger-source-left A bad-fabric-block B"]);
  });

  it("is reported to who waits when all do: the channel is another one", async () => {
    const store = new MemoryStore();
    const first = await open([new ListPeer("A", CHAIN)], store);
    await first.reached(4n);
    await first.close();
    const reset = forgeChain([[put("x", "1")], [], [], [], [], []]);
    const replica = await open([new ListPeer("A", reset), new ListPeer("B", reset)], store);
    const error = failure(replica.reached(2n));
    await time.pass(3000);
    expect(await error).to.include({ code: "ledger-forked", blame: "peer" });
    expect((await error).facts).to.include({ source: "A", block: "4" });
    expect(replica.height).to.equal(5n);
  });

  it("is passed over when blocks are read again, and none comes twice or is left out", async () => {
    const [a, b, c] = [new ListPeer("A", CHAIN), new ListPeer("B", CHAIN), new ListPeer("C", OTHER)];
    const replica = await open([a, b, c]);
    await replica.reached(4n);
    const numbers: bigint[] = [];
    for await (const { number } of replica.blocks(1n)) {
      numbers.push(number);
      if (number === 2n) a.failure = new Error("connection lost");
    }
    expect(numbers).to.deep.equal([1n, 2n, 3n, 4n]);
    expect(b.asked[0]).to.equal(3n);
    b.failure = new Error("connection lost");
    const left: bigint[] = [];
    const error = await failure(
      (async () => {
        for await (const { number } of replica.blocks(1n)) left.push(number);
      })(),
    );
    expect(left).to.deep.equal([1n, 2n]);
    expect(error.code).to.equal("ledger-unavailable");
  });
});

/** A store that fails at one write, as a process that ends does. */
class FailingStore implements Store {
  readonly #store: Store;
  #left: number;

  constructor(store: Store, writes: number) {
    this.#store = store;
    this.#left = writes;
  }

  get(key: string): Uint8Array | undefined {
    return this.#store.get(key);
  }

  write(changes: readonly Change[]): Promise<void> {
    this.#left -= 1;
    return this.#left < 0 ? Promise.reject(new Error("no space left")) : this.#store.write(changes);
  }

  range(prefix: string): ReturnType<Store["range"]> {
    return this.#store.range(prefix);
  }
}
