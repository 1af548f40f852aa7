import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import type { Store } from "../../src/ports/store.js";
import { GroupedStore } from "../../src/store/grouped.js";
import { LevelStore, openDatabase, type Database } from "../../src/store/level.js";
import { MemoryStore } from "../../src/store/memory.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What every store does. */
function conformance(name: string, make: () => Promise<{ store: Store; close: () => Promise<void> }>): void {
  describe(name, () => {
    let store: Store;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await make());
    });
    afterEach(() => close());

    it("gives back what was written, and nothing else", async () => {
      await store.write([{ key: "a/1", value: bytes(1, 2) }]);
      expect(store.get("a/1")).to.deep.equal(bytes(1, 2));
      expect(store.get("a")).to.equal(undefined);
    });

    it("keeps what was written, whatever becomes of the caller's array", async () => {
      const value = bytes(1);
      await store.write([{ key: "a", value }]);
      value[0] = 9;
      expect(store.get("a")).to.deep.equal(bytes(1));
    });

    it("makes all changes of a write, deletions too", async () => {
      await store.write([{ key: "a", value: bytes(1) }]);
      await store.write([
        { key: "a", value: undefined },
        { key: "b", value: bytes(2) },
      ]);
      expect([store.get("a"), store.get("b")]).to.deep.equal([undefined, bytes(2)]);
      await store.write([]);
    });

    it("gives the entries of a prefix in the order of their keys", async () => {
      await store.write(["p/2", "q/1", "p/1", "p"].map((key, i) => ({ key, value: bytes(i) })));
      expect(await store.range("p/")).to.deep.equal([
        { key: "p/1", value: bytes(2) },
        { key: "p/2", value: bytes(0) },
      ]);
    });

    it("is a map, whatever is written", async () => {
      const change = fc.record({
        key: fc.constantFrom("a", "a/b", "a/c", "b"),
        value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 6 }), async (writes) => {
          await store.write(["a", "a/b", "a/c", "b"].map((key) => ({ key, value: undefined })));
          const model = new Map<string, Uint8Array>();
          for (const changes of writes) {
            await store.write(changes);
            for (const { key, value } of changes) {
              if (value === undefined) model.delete(key);
              else model.set(key, value);
            }
          }
          const found = (await store.range("a")).map(({ key, value }) => [key, [...value]]);
          const due = [...model].filter(([key]) => key.startsWith("a")).sort(([a], [b]) => (a < b ? -1 : 1));
          expect(found).to.deep.equal(due.map(([key, value]) => [key, [...value]]));
        }),
        { numRuns: 20 },
      );
    });
  });
}

conformance("MemoryStore", () => Promise.resolve({ store: new MemoryStore(), close: () => Promise.resolve() }));

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "veilgrid-store-"));
}

conformance("LevelStore", async () => {
  const path = await folder();
  const database = await openDatabase(path);
  // Neighbours on both sides, whose keys must not be seen.
  for (const role of ["d", "da/0/x", "da/00"]) {
    await new LevelStore(database, role, { sync: false }).write([{ key: "a", value: bytes(7) }]);
  }
  const close = async (): Promise<void> => {
    await database.close();
    await rm(path, { recursive: true });
  };
  return { store: new LevelStore(database, "da/0", { sync: false }), close };
});

conformance("GroupedStore", () =>
  Promise.resolve({ store: new GroupedStore(new MemoryStore()), close: () => Promise.resolve() }),
);

describe("GroupedStore", () => {
  /** A disk that is through with a write when it is told so. */
  class Disk extends MemoryStore {
    readonly #waiting: (() => void)[] = [];
    readonly sizes: number[] = [];
    fails = false;

    override async write(changes: Parameters<Store["write"]>[0]): Promise<void> {
      this.sizes.push(changes.length);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.fails) throw new Error("the disk is full");
      await super.write(changes);
    }

    /** Through with the write at hand, if there is one; the next one begins. */
    async turn(): Promise<void> {
      this.#waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const one = (key: string, value = 1): Parameters<Store["write"]>[0] => [{ key, value: bytes(value) }];

  it("writes together what comes while the disk is busy, and resolves nothing before it is there", async () => {
    const disk = new Disk();
    const store = new GroupedStore(disk);
    const done: string[] = [];
    const write = (key: string): void => void store.write(one(key)).then(() => done.push(key));
    ["a", "b"].forEach(write);
    await disk.turn();
    ["c", "d", "e"].forEach(write);
    expect([done, disk.sizes, store.get("a")]).to.deep.equal([[], [2], undefined]);
    await disk.turn();
    expect([done, disk.sizes, store.get("c")]).to.deep.equal([["a", "b"], [2, 3], undefined]);
    await disk.turn();
    expect(done).to.deep.equal(["a", "b", "c", "d", "e"]);
    expect([store.get("e"), store.writes]).to.deep.equal([bytes(1), 2]);
  });

  it("keeps the order of writes to one key", async () => {
    const disk = new Disk();
    const store = new GroupedStore(disk);
    const all = Promise.all([store.write(one("k", 1)), store.write(one("k", 2)), store.write(one("k", 3))]);
    await disk.turn();
    await disk.turn();
    await all;
    expect(store.get("k")).to.deep.equal(bytes(3));
  });

  it("tells all who wrote together that it failed, and goes on with the next", async () => {
    const disk = new Disk();
    const store = new GroupedStore(disk);
    disk.fails = true;
    const failed = Promise.allSettled([store.write(one("a")), store.write(one("b"))]);
    await disk.turn();
    await disk.turn();
    expect((await failed).map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
    disk.fails = false;
    const next = store.write(one("c"));
    await disk.turn();
    await disk.turn();
    await next;
    expect([store.get("a"), store.get("c")]).to.deep.equal([undefined, bytes(1)]);
  });
});

describe("openDatabase", () => {
  let path: string;
  let database: Database;
  beforeEach(async () => {
    path = await folder();
    database = await openDatabase(path);
  });
  afterEach(async () => {
    await database.close();
    await rm(path, { recursive: true });
  });

  async function codeOf(opening: Promise<unknown>): Promise<unknown> {
    return opening.then(
      () => "opened",
      (error: unknown) => (error as { code: string }).code,
    );
  }

  it("refuses a folder that is in use", async () => {
    expect(await codeOf(openDatabase(path))).to.equal("store-in-use");
  });

  it("refuses what it cannot read", async () => {
    expect(await codeOf(openDatabase(join(path, "CURRENT", "below-a-file")))).to.equal("store-unreadable");
  });

  it("keeps what was written, with roles apart", async () => {
    await new LevelStore(database, "da/0").write([{ key: "k", value: bytes(1) }]);
    await new LevelStore(database, "da/1").write([{ key: "k", value: bytes(2) }]);
    await database.close();
    database = await openDatabase(path);
    expect(new LevelStore(database, "da/0").get("k")).to.deep.equal(bytes(1));
    expect(new LevelStore(database, "da/1").get("k")).to.deep.equal(bytes(2));
  });
});
