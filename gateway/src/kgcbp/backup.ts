import { mkdir } from "node:fs/promises";
import { VeilgridError } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import { BackupJournal, readJournal, type KeptJournal } from "./backup-journal.js";
import { baseCopies, deleteOlder, readBase, writeBase, type BaseCopy, type KeptBase } from "./base-copy.js";
import { Exclusive } from "../exclusive.js";
import { JournaledStore, POSITION, catchUp, positionOf, setPosition } from "./journaled-store.js";
import type { JournalRecord } from "./journal-record.js";

/** A store that is backed up. */
export interface BackedStore {
  readonly store: Store;
  /** Whether each of its writes waits until the journal is on the disk. */
  readonly sync: boolean;
}

/** By the stores' names in the backup. */
export type BackedStores = Readonly<Record<string, BackedStore>>;

/** Where KGCBP is backed up, and of which consortium it is. */
export interface BackupPlace {
  /** A folder on another disk than the stores. */
  readonly folder: string;
  /** 32 bytes. */
  readonly consortium: Uint8Array;
}

const BATCH = 1_000;

/**
 * KGCBP's backup: a base copy of its stores, and a journal of every write since. It has what the stores have, so secrets
 * only as they are sealed; the vault that opens them is no part of it.
 */
export class Backup {
  readonly #place: BackupPlace;
  readonly #stores: ReadonlyMap<string, Store>;
  readonly #journal: BackupJournal;
  readonly #turn = new Exclusive();
  /** The stores by their names, whose writes go to the journal first. */
  readonly stores: Readonly<Record<string, Store>>;

  private constructor(place: BackupPlace, stores: BackedStores, journal: BackupJournal) {
    this.#place = place;
    this.#stores = new Map(Object.entries(stores).map(([name, { store }]) => [name, store]));
    this.#journal = journal;
    const modules = { journal, turn: this.#turn };
    this.stores = Object.fromEntries(
      Object.entries(stores).map(([name, { store, sync }]) => [
        name,
        new JournaledStore(store, { name, sync }, modules),
      ]),
    );
  }

  /**
   * Opens the backup of stores, and brings both to the same state: what a crash let only the journal have the stores get;
   * stores that the backup does not know, or has lost, are copied at once.
   * @throws VeilgridError `backup-damaged`, `wrong-consortium`; `stores-incomplete` where the stores are not those that
   * were copied, or were restored in part.
   */
  static async open(place: BackupPlace, stores: BackedStores): Promise<Backup> {
    await mkdir(place.folder, { recursive: true, mode: 0o700 });
    const base = await readBase(place.folder, place.consortium);
    const kept = await readJournal(place.folder);
    const last = requireJoined(base, kept);
    const known = Object.values(stores).map(({ store }) => positionOf(store));
    const furthest = known.reduce((most, one) => (one > most ? one : most), 0n);
    if (furthest > last) return Backup.#begin(place, stores, furthest);
    if (base !== undefined && known.some((position) => position < base.number)) throw incomplete(place);
    for (const [name, { store }] of Object.entries(stores)) await catchUp(name, store, kept.records);
    if (base === undefined) return Backup.#begin(place, stores, last);
    return new Backup(place, stores, await BackupJournal.open(place.folder, kept, last));
  }

  static async #begin(place: BackupPlace, stores: BackedStores, last: bigint): Promise<Backup> {
    const journal = await BackupJournal.open(place.folder, { records: [], segments: [], whole: 0 }, last);
    const backup = new Backup(place, stores, journal);
    try {
      await backup.copy();
      return backup;
    } catch (error) {
      await backup.close();
      throw error;
    }
  }

  /** How far the journal has come. */
  get last(): bigint {
    return this.#journal.last;
  }

  /** Takes a new base copy, consistent over all stores, and begins the journal anew; older ones are deleted. */
  copy(): Promise<BaseCopy> {
    return this.#turn.run(async () => {
      const { folder, consortium } = this.#place;
      for (const store of this.#stores.values()) await setPosition(store, this.#journal.last);
      const copy = await writeBase(folder, consortium, this.#journal.last, this.#stores);
      await this.#journal.restart();
      await deleteOlder(folder);
      return copy;
    });
  }

  async close(): Promise<void> {
    await this.#turn.run(() => this.#journal.close());
  }
}

function incomplete({ folder }: BackupPlace): VeilgridError {
  return new VeilgridError(
    "stores-incomplete",
    "the stores lack what the base copy has: restore them from the backup",
    {
      facts: { folder },
      blame: "operator",
    },
  );
}

/** The number of the last record. @throws VeilgridError `backup-damaged` where records between base and journal are missing. */
function requireJoined(base: KeptBase | undefined, { records }: KeptJournal): bigint {
  const [first, last] = [records[0]?.number, records.at(-1)?.number];
  const copied = base?.number ?? 0n;
  if (first === undefined || last === undefined) return copied;
  if (first <= copied + 1n) return last > copied ? last : copied;
  throw new VeilgridError("backup-damaged", "the journal begins after the base copy ends: a part of it is missing", {
    facts: { copied: copied.toString(), first: first.toString() },
    blame: "operator",
  });
}

/** What a backup was made into. */
export interface Restored {
  /** Entries of the base copy. */
  readonly entries: number;
  /** Writes of the journal after it. */
  readonly writes: number;
}

/** What a backup has, without changing it. */
export interface BackupContent {
  readonly base: KeptBase;
  /** The journal's records after the base copy. */
  readonly records: readonly JournalRecord[];
}

/** @throws VeilgridError `no-backup`, `backup-damaged`, `wrong-consortium`. */
export async function readBackup({ folder, consortium }: BackupPlace): Promise<BackupContent> {
  const isThere = await baseCopies(folder).then(
    (names) => names.length > 0,
    () => false,
  );
  const base = isThere ? await readBase(folder, consortium) : undefined;
  if (base === undefined) {
    throw new VeilgridError("no-backup", `${folder} holds no base copy`, { facts: { folder }, blame: "caller" });
  }
  const kept = await readJournal(folder);
  requireJoined(base, kept);
  return { base, records: kept.records.filter(({ number }) => number > base.number) };
}

/**
 * Makes empty stores what they were at the last write of a backup: on a new machine, before anything else is done there.
 * The restored KGCBP needs the vault, too.
 * @throws VeilgridError `not-empty` for stores that hold something, `no-backup`, `backup-damaged`, `wrong-consortium`.
 */
export async function restore(place: BackupPlace, stores: Readonly<Record<string, Store>>): Promise<Restored> {
  const { base, records } = await readBackup(place);
  for (const [name, store] of Object.entries(stores)) await requireEmpty(name, store);
  let entries = 0;
  for (const [name, store] of Object.entries(stores)) {
    const copied = base.stores.get(name) ?? [];
    await writeAll(store, copied);
    await setPosition(store, base.number);
    await catchUp(name, store, records);
    entries += copied.length;
  }
  return { entries, writes: records.length };
}

async function requireEmpty(name: string, store: Store): Promise<void> {
  if ((await store.range("")).length === 0) return;
  throw new VeilgridError("not-empty", "a backup is restored into empty stores only", {
    facts: { store: name },
    blame: "caller",
  });
}

async function writeAll(store: Store, entries: readonly Change[]): Promise<void> {
  // The position comes last: stores without it are known to be restored in part.
  const own = entries.filter(({ key }) => key !== POSITION);
  for (let at = 0; at < own.length; at += BATCH) await store.write(own.slice(at, at + BATCH));
}
