import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isVeilgridError, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { Backup, readBackup, restore } from "../../src/kgcbp/backup.js";
import { Safe } from "../../src/kgcbp/safe.js";
import type { Change, Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { Died, dying } from "../support/disk.js";
import { homeOf } from "../support/homes.js";
import { MemoryShelf } from "../support/sealed.js";

const CONSORTIUM = sha256(utf8("a consortium"));
const MARCH = 12 * 2026 + 2;

async function codeOf(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return "none";
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    return error.code;
  }
}

/** What a store holds, but for how far it has come in the journal. */
async function contentOf(store: Store): Promise<Record<string, string>> {
  const own = (await store.range("")).filter(({ key }) => key !== "journal");
  return Object.fromEntries(own.map(({ key, value }) => [key, toHex(value)]));
}

interface Machine {
  readonly keys: MemoryStore;
  readonly work: MemoryStore;
}

function newMachine(): Machine {
  return { keys: new MemoryStore(), work: new MemoryStore() };
}

async function contents({ keys, work }: Machine): Promise<unknown> {
  return [await contentOf(keys), await contentOf(work)];
}

describe("KGCBP's backup", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-backup-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const place = (): { folder: string; consortium: Uint8Array } => ({ folder, consortium: CONSORTIUM });
  const open = ({ keys, work }: { keys: Store; work: Store }): Promise<Backup> =>
    Backup.open(place(), { keys: { store: keys, sync: true }, work: { store: work, sync: false } });
  const put = (key: string, text: string): Change => ({ key, value: utf8(text) });
  const journal = (): string =>
    join(
      folder,
      readdirSync(folder)
        .filter((name) => name.startsWith("journal-"))
        .sort()
        .at(-1) as string,
    );

  async function restored(): Promise<unknown> {
    const machine = newMachine();
    await restore(place(), { ...machine });
    return contents(machine);
  }

  it("restores what was written last, whatever was written, copied and opened again before", async () => {
    const name = fc.constantFrom("a", "b", "c/1", "c/2");
    const change = fc.record({ key: name, value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }) });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          store: fc.constantFrom("keys", "work"),
          changes: fc.array(change, { minLength: 1, maxLength: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.constant("copy" as const) },
      { weight: 1, arbitrary: fc.constant("reopen" as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        rmSync(folder, { recursive: true, force: true });
        const machine = newMachine();
        let backup = await open(machine);
        for (const one of steps) {
          if (one === "copy") await backup.copy();
          else if (one === "reopen") {
            await backup.close();
            backup = await open(machine);
          } else await backup.stores[one.store]?.write(one.changes);
        }
        await backup.close();
        expect(await restored()).to.deep.equal(await contents(machine));
        // On the new machine it goes on.
        const next = newMachine();
        await restore(place(), { ...next });
        const again = await open(next);
        await again.stores.work?.write([put("later", "x")]);
        await again.close();
        expect(await restored()).to.deep.equal(await contents(next));
      }),
      { numRuns: 40 },
    );
  });

  it("cuts off what a crash left of a write that nobody was told of, at every byte", async () => {
    const machine = newMachine();
    const backup = await open(machine);
    await backup.stores.keys?.write([put("one", "first")]);
    const before = readFileSync(journal()).length;
    const told = await contents(machine);
    await backup.stores.keys?.write([put("two", "second")]);
    await backup.close();
    const whole = readFileSync(journal());
    for (let length = before; length < whole.length; length += 1) {
      truncateSync(journal(), length);
      expect(await restored(), `${length} bytes`).to.deep.equal(told);
      // The disk may have kept a place for what it did not write.
      appendFileSync(journal(), new Uint8Array(whole.length - length));
      if (length === before) expect(await restored(), "zeros").to.deep.equal(told);
      writeFileSync(journal(), whole);
    }
    // The next process goes on where the whole records end.
    truncateSync(journal(), before + 5);
    const next = newMachine();
    await restore(place(), { ...next });
    const again = await open(next);
    await again.stores.keys?.write([put("three", "third")]);
    await again.close();
    expect(await restored()).to.deep.equal(await contents(next));
  });

  it("refuses a journal that was changed or lacks something in between, and a base copy that was changed", async () => {
    const backup = await open(newMachine());
    for (const text of ["one", "two", "three"]) await backup.stores.work?.write([put(text, text)]);
    await backup.close();
    const whole = readFileSync(journal());
    const changed = Buffer.from(whole);
    changed[20] = (changed[20] as number) ^ 1;
    writeFileSync(journal(), changed);
    expect(await codeOf(() => readBackup(place()))).to.equal("backup-damaged");
    // The first record is gone.
    const length = 12 + whole.readUInt32BE(0);
    writeFileSync(journal(), whole.subarray(length));
    expect(await codeOf(() => readBackup(place()))).to.equal("backup-damaged");
    writeFileSync(journal(), whole);
    expect(await codeOf(() => readBackup(place()))).to.equal("none");
    const base = join(folder, readdirSync(folder).find((name) => name.startsWith("base-")) as string);
    const bytes = readFileSync(base);
    for (const at of [0, 8, 30, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] as number) ^ 1;
      writeFileSync(base, other);
      expect(await codeOf(() => readBackup(place())), `byte ${at}`).to.equal("backup-damaged");
    }
  });

  it("is restored into empty stores of its own consortium only", async () => {
    const backup = await open(newMachine());
    await backup.close();
    const machine = newMachine();
    await machine.work.write([put("something", "here")]);
    expect(await codeOf(() => restore(place(), { ...machine }))).to.equal("not-empty");
    const other = { folder, consortium: sha256(utf8("another")) };
    expect(await codeOf(() => restore(other, { ...newMachine() }))).to.equal("wrong-consortium");
    expect(await codeOf(() => restore({ ...place(), folder: join(folder, "none") }, { ...newMachine() }))).to.equal(
      "no-backup",
    );
    // Stores that were restored in part are not taken for whole ones.
    const whole = newMachine();
    const written = await open(whole);
    expect(await codeOf(async () => written.close())).to.equal("none");
    rmSync(folder, { recursive: true });
    const next = await open(whole);
    await next.stores.keys?.write([put("one", "1")]);
    await next.copy();
    await next.close();
    expect(await codeOf(() => open(newMachine()))).to.equal("stores-incomplete");
  });

  it("copies at once what it does not know: a lost backup is made again", async () => {
    const machine = newMachine();
    const first = await open(machine);
    await first.stores.keys?.write([put("one", "1")]);
    await first.close();
    rmSync(folder, { recursive: true });
    const second = await open(machine);
    expect(await restored()).to.deep.equal(await contents(machine));
    await second.stores.keys?.write([put("two", "2")]);
    await second.close();
    expect(await restored()).to.deep.equal(await contents(machine));
  });

  it("has what a crash kept from the stores, and gives it to them", async () => {
    const machine = newMachine();
    for (let writes = 0; writes < 6; writes += 1) {
      const crash = { after: writes, writes: 0 };
      const backup = await open(machine);
      await backup.close();
      const dies = await open({ keys: dying(machine.keys, crash), work: dying(machine.work, crash) })
        .then(async (one) => {
          try {
            for (let i = 0; i < 6; i += 1) await one.stores.keys?.write([put(`${writes}/${i}`, "x")]);
          } finally {
            await one.close();
          }
        })
        .catch((error: unknown) => error);
      expect(dies).to.be.instanceOf(Died);
      const next = await open(machine);
      expect(machine.keys.get(`${writes}/${writes}`), "in the journal, then in the store").to.deep.equal(utf8("x"));
      await next.close();
      expect(await restored()).to.deep.equal(await contents(machine));
    }
  });
});

describe("KGCBP's safe", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-safe-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const open = ({ keys, work }: Machine, shelf: MemoryShelf): Promise<Safe> =>
    Safe.open({
      keys: { store: keys, sync: true },
      work: { store: work, sync: false },
      shelf,
      backup: { folder, consortium: CONSORTIUM },
    });

  it("has every key in the journal before it can be used, and none that opens without the vault", async () => {
    const [machine, shelf] = [newMachine(), new MemoryShelf()];
    const safe = await open(machine, shelf);
    const { enrolment, monthKey } = await homeOf("home", 1, { month: MARCH, k: 0 }, undefined);
    await safe.keys.enrol(enrolment, monthKey);
    const april = await safe.keys.monthKey(enrolment, MARCH + 1);
    // Power fails here: what is not in the backup is gone.
    const elsewhere = newMachine();
    await restore({ folder, consortium: CONSORTIUM }, { ...elsewhere });
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    const wrapping = [...shelf.held.values()];
    for (const secret of [monthKey, april, ...wrapping]) expect(bytes.includes(Buffer.from(secret))).to.equal(false);
    await safe.close();
    const restored = await open(elsewhere, shelf);
    expect(await restored.keys.monthKey(enrolment, MARCH)).to.deep.equal(monthKey);
    expect(await restored.keys.monthKey(enrolment, MARCH + 1)).to.deep.equal(april);
    expect(await restored.keys.enrolments()).to.deep.equal([enrolment]);
    await restored.close();
  });

  it("opens nothing of an erased month from a backup that is older", async () => {
    const [machine, shelf] = [newMachine(), new MemoryShelf()];
    const safe = await open(machine, shelf);
    const { enrolment, monthKey } = await homeOf("home", 1, { month: MARCH, k: 0 }, undefined);
    await safe.keys.enrol(enrolment, monthKey);
    await safe.work.write([{ key: `settled/00001/0${MARCH}/0000`, value: utf8("its consumption") }]);
    await safe.backup.copy();
    const old = mkdtempSync(join(tmpdir(), "veilgrid-old-"));
    cpSync(folder, old, { recursive: true });
    await safe.keys.erase(MARCH);
    await safe.work.sweep();
    await safe.close();
    const elsewhere = newMachine();
    await restore({ folder: old, consortium: CONSORTIUM }, { ...elsewhere });
    expect(elsewhere.work.get(`settled/00001/0${MARCH}/0000`)).to.have.lengthOf.greaterThan(15);
    rmSync(folder, { recursive: true });
    cpSync(old, folder, { recursive: true });
    const restored = await open(elsewhere, shelf);
    expect(await codeOf(() => restored.keys.monthKey(enrolment, MARCH))).to.equal("key-missing");
    expect(restored.work.get(`settled/00001/0${MARCH}/0000`)).to.equal(undefined);
    // The old backup does not even lead to April: its March opens no more.
    expect(await codeOf(() => restored.keys.monthKey(enrolment, MARCH + 1))).to.equal("key-missing");
    await restored.close();
    rmSync(old, { recursive: true });
  });
});
