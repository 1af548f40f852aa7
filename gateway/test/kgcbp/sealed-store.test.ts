import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isVeilgridError, ratchet, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import { newCustomerKey } from "../../src/bill/encryption.js";
import type { StoredKeys } from "../../src/kgcbp/keys.js";
import { SealedStore, sealedMonth } from "../../src/kgcbp/sealed-store.js";
import { seal, unseal } from "../../src/kgcbp/seal.js";
import { VaultFolder } from "../../src/kgcbp/vault-folder.js";
import { AHEAD_MONTHS, Vault } from "../../src/kgcbp/vault.js";
import type { Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { homeOf, type Home } from "../support/homes.js";
import { Disk, type Crash } from "../support/disk.js";
import { MemoryShelf, keysOf, sealed } from "../support/sealed.js";

const CONSORTIUM = sha256(utf8("a consortium"));
const MARCH = 12 * 2026 + 2;

interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

async function codeOf(task: () => unknown): Promise<string> {
  try {
    await task();
    return "none";
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    return error.code;
  }
}

async function bytesOf(store: Store): Promise<Map<string, Uint8Array>> {
  return new Map((await store.range("")).map(({ key, value }) => [key, value]));
}

function contains(bytes: Iterable<Uint8Array>, secret: Uint8Array): boolean {
  return [...bytes].some((one) => Buffer.from(one).includes(Buffer.from(secret)));
}

async function homeWithKeys(): Promise<{ store: MemoryStore; shelf: MemoryShelf; keys: StoredKeys; home: Home }> {
  const [store, shelf] = [new MemoryStore(), new MemoryShelf()];
  const keys = await keysOf(CONSORTIUM, store, shelf);
  const home = await homeOf("home", 1, { month: MARCH, k: 0 }, undefined);
  await keys.enrol(home.enrolment, home.monthKey);
  return { store, shelf, keys, home };
}

describe("a sealed value", () => {
  const [key, context, value] = [sha256(utf8("key")), utf8("what it is of"), utf8("a secret")];

  it("opens under its key and context alone, and never looks the same twice", async () => {
    const one = seal(key, context, value);
    expect(unseal(key, context, one)).to.deep.equal(value);
    expect(toHex(seal(key, context, value))).to.not.equal(toHex(one));
    expect(await codeOf(() => unseal(sha256(utf8("other")), context, one))).to.equal("sealed-otherwise");
    expect(await codeOf(() => unseal(key, utf8("something else"), one))).to.equal("sealed-otherwise");
  });

  it("opens no more when any byte of it was changed, or is missing", async () => {
    const one = seal(key, context, value);
    for (const i of one.keys()) {
      const changed = one.slice();
      changed[i] = (changed[i] as number) ^ 1;
      expect(await codeOf(() => unseal(key, context, changed)), `byte ${i}`).to.equal("sealed-otherwise");
      expect(await codeOf(() => unseal(key, context, one.subarray(0, i))), `length ${i}`).to.equal("sealed-otherwise");
    }
  });
});

describe("KGCBP's key store at rest", () => {
  it("holds no key in the clear, and opens it with the vault", async () => {
    const { store, shelf, keys, home } = await homeWithKeys();
    const april = await keys.monthKey(home.enrolment, MARCH + 1);
    expect(april).to.deep.equal(ratchet(home.monthKey, CONSORTIUM, MARCH + 1));
    const kept = await bytesOf(store);
    expect([...kept.keys()].filter((key) => key.startsWith("key/"))).to.have.lengthOf(2);
    for (const secret of [home.monthKey, april]) expect(contains(kept.values(), secret)).to.equal(false);
    const again = await keysOf(CONSORTIUM, store, shelf);
    expect(await again.monthKey(home.enrolment, MARCH)).to.deep.equal(home.monthKey);
  });

  it("binds each key to its enrolment and month", async () => {
    const { store, keys, home } = await homeWithKeys();
    await keys.monthKey(home.enrolment, MARCH + 1);
    const [march, april] = (await store.range("key/")) as readonly [Entry, Entry];
    await store.write([{ key: april.key, value: march.value }]);
    expect(await codeOf(() => keys.monthKey(home.enrolment, MARCH + 1))).to.equal("sealed-otherwise");
    const other = await homeOf("other", 1, { month: MARCH, k: 0 }, undefined);
    await keys.enrol(other.enrolment, other.monthKey);
    const [own] = (await store.range(`key/${toHex(other.enrolment.bid)}`)) as readonly [Entry];
    await store.write([{ key: own.key, value: march.value }]);
    expect(await codeOf(() => keys.monthKey(other.enrolment, MARCH))).to.equal("sealed-otherwise");
  });

  it("does not take another vault's silence for an erasure", async () => {
    const { store, home } = await homeWithKeys();
    const stranger = await keysOf(CONSORTIUM, store, new MemoryShelf());
    expect(await codeOf(() => stranger.monthKey(home.enrolment, MARCH))).to.equal("wrapping-key-missing");
  });

  it("knows which entries are secrets, and of which month", () => {
    const bid = "00".repeat(16);
    expect(sealedMonth(`key/${bid}/024314/0007/024316`)).to.equal(24316);
    expect(sealedMonth("settled/00001/024314/0007")).to.equal(24314);
    expect(sealedMonth("case/00001/024314/0007")).to.equal(24314);
    expect(sealedMonth(`finding/00001/024314/0007/${bid}/024310/0000`)).to.equal(24314);
    expect(sealedMonth("case-key/024314")).to.equal(24314);
    for (const open of [`enrolment/${bid}/024314/0007`, "billed/024314", "epoch/00001/024314/0007", "cases/00001"]) {
      expect(sealedMonth(open)).to.equal(undefined);
    }
  });
});

describe("erasing a month", () => {
  it("leaves the months after it, and nothing that opens it or one before", async () => {
    const { store, shelf, keys, home } = await homeWithKeys();
    await keys.monthKey(home.enrolment, MARCH + 1);
    const before = new MemoryStore();
    await before.write(await store.range(""));
    // May's was never asked for: it is derived before April's is gone.
    await keys.erase(MARCH + 1);
    expect(keys.erased).to.equal(MARCH + 1);
    const april = ratchet(home.monthKey, CONSORTIUM, MARCH + 1);
    expect(await keys.monthKey(home.enrolment, MARCH + 2)).to.deep.equal(ratchet(april, CONSORTIUM, MARCH + 2));
    for (const month of [MARCH, MARCH + 1]) {
      expect(await codeOf(() => keys.monthKey(home.enrolment, month))).to.equal("key-missing");
    }
    expect(await store.range("key/")).to.have.lengthOf(1);
    // An old copy of the store has the ciphertexts, and no vault opens them.
    const old = await keysOf(CONSORTIUM, before, shelf);
    expect(await before.range("key/")).to.have.lengthOf(2);
    for (const month of [MARCH, MARCH + 1]) {
      expect(await codeOf(() => old.monthKey(home.enrolment, month))).to.equal("key-missing");
    }
  });

  it("changes nothing when it is asked for again, and takes nothing for the month any more", async () => {
    const { store, keys, home } = await homeWithKeys();
    await keys.erase(MARCH);
    const kept = await bytesOf(store);
    await keys.erase(MARCH);
    await keys.erase(MARCH - 3);
    expect(await bytesOf(store)).to.deep.equal(kept);
    await keys.enrol(home.enrolment, home.monthKey);
    expect(await bytesOf(store)).to.deep.equal(kept);
    const late = await homeOf("late", 1, { month: MARCH, k: 5 }, undefined);
    expect(await codeOf(() => keys.enrol(late.enrolment, late.monthKey))).to.equal("month-erased");
    expect(await bytesOf(store)).to.deep.equal(kept);
  });

  it("derives nothing for a supply that ended with the month", async () => {
    const keys = await keysOf(CONSORTIUM);
    const { enrolment, monthKey } = await homeOf("gone", 1, { month: MARCH, k: 0 }, { month: MARCH + 1, k: 0 });
    await keys.enrol(enrolment, monthKey);
    await keys.erase(MARCH);
    expect(await codeOf(() => keys.monthKey(enrolment, MARCH + 1))).to.equal("key-missing");
  });

  it("is whole after a crash at any write: then the key is there, or else nothing is, and later months always are", async () => {
    const home = await homeOf("home", 1, { month: MARCH, k: 0 }, undefined);
    const mays: string[] = [];
    let [n, done] = [0, false];
    for (; !done; n += 1) {
      const disk = new Disk();
      const live = async (crash: Crash): Promise<void> => {
        const keys = await keysOf(CONSORTIUM, disk.store(crash), disk.shelf(crash));
        await keys.enrol(home.enrolment, home.monthKey);
        await keys.monthKey(home.enrolment, MARCH + 1);
        await keys.erase(MARCH + 1);
      };
      done = await disk.survives(live, n);
      const keys = await keysOf(CONSORTIUM, disk.kept, disk.keptShelf);
      const { erased } = keys;
      if (erased === undefined) {
        // Before the mark everything can be asked for again.
        await live({ after: Infinity, writes: 0 });
      } else {
        expect(
          [...disk.keptShelf.held.keys()].filter((month) => month <= erased),
          `write ${n}`,
        ).to.deep.equal([]);
        expect(await codeOf(() => keys.monthKey(home.enrolment, MARCH))).to.equal("key-missing");
        await keys.erase(MARCH + 1);
      }
      const after = await keysOf(CONSORTIUM, disk.kept, disk.keptShelf);
      mays.push(toHex(await after.monthKey(home.enrolment, MARCH + 2)));
      expect(await disk.kept.range("key/"), `write ${n}`).to.have.lengthOf(1);
    }
    // 13 wrapping keys and more for the months ahead, three keys, a mark, two to shred, and the sweep.
    expect(n).to.be.greaterThan(20);
    const april = ratchet(home.monthKey, CONSORTIUM, MARCH + 1);
    expect(new Set(mays)).to.deep.equal(new Set([toHex(ratchet(april, CONSORTIUM, MARCH + 2))]));
  });
});

describe("a vault in a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-vault-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("keeps a year's keys ahead, for its owner's eyes alone", async () => {
    const vault = await Vault.open(await VaultFolder.open(folder));
    const key = (await vault.provide(MARCH)).slice();
    expect(readdirSync(folder)).to.have.lengthOf(1 + AHEAD_MONTHS);
    expect(statSync(join(folder, "024314.key")).mode & 0o777).to.equal(0o600);
    const again = await Vault.open(await VaultFolder.open(folder));
    expect(again.find(MARCH)).to.deep.equal(key);
    expect(new Set(readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"))).size).to.equal(13);
  });

  it("deletes what is erased, also where that was cut short", async () => {
    const vault = await Vault.open(await VaultFolder.open(folder));
    await vault.provide(MARCH);
    await vault.provide(MARCH + 1);
    const copy = readFileSync(join(folder, "024314.key"));
    await vault.erase(MARCH);
    expect(readdirSync(folder)).to.not.include("024314.key");
    expect(vault.find(MARCH)).to.equal(undefined);
    expect(await codeOf(() => vault.provide(MARCH))).to.equal("month-erased");
    for (const left of [copy, new Uint8Array(65)]) {
      writeFileSync(join(folder, "024314.key"), left);
      const again = await Vault.open(await VaultFolder.open(folder));
      expect(again.erased).to.equal(MARCH);
      expect(again.find(MARCH)).to.equal(undefined);
      expect(readdirSync(folder)).to.not.include("024314.key");
    }
  });

  it("opens with the operator's identity alone where it was made with one", async () => {
    const warden = await newCustomerKey();
    const key = (await (await Vault.open(await VaultFolder.open(folder, warden))).provide(MARCH)).slice();
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    expect(contains(files, key) || contains(files, utf8(toHex(key)))).to.equal(false);
    expect(await codeOf(async () => Vault.open(await VaultFolder.open(folder)))).to.equal("vault-locked");
    const stranger = await newCustomerKey();
    expect(await codeOf(async () => Vault.open(await VaultFolder.open(folder, stranger)))).to.equal("cannot-decrypt");
    expect((await Vault.open(await VaultFolder.open(folder, warden))).find(MARCH)).to.deep.equal(key);
  });

  it("does not take a damaged key for one", async () => {
    await (await Vault.open(await VaultFolder.open(folder))).provide(MARCH);
    for (const text of ["", "00", "no key at all\n"]) {
      writeFileSync(join(folder, "024315.key"), text);
      expect(await codeOf(async () => Vault.open(await VaultFolder.open(folder)))).to.equal("vault-damaged");
    }
  });

  it("serves a sealed store", async () => {
    const store = new MemoryStore();
    const own = await sealed(CONSORTIUM, store, await VaultFolder.open(folder));
    await own.write([{ key: "settled/00001/024314/0000", value: utf8("what homes consume") }]);
    expect(contains((await bytesOf(store)).values(), utf8("homes"))).to.equal(false);
    const again = new SealedStore(store, await Vault.open(await VaultFolder.open(folder)), CONSORTIUM);
    expect(again.get("settled/00001/024314/0000")).to.deep.equal(utf8("what homes consume"));
    await again.erase(MARCH);
    expect([again.get("settled/00001/024314/0000"), await again.range("settled/")]).to.deep.equal([undefined, []]);
    expect(await store.range("settled/")).to.deep.equal([]);
  });
});
