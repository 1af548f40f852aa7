import { Reader, Writer } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import type { BackupJournal } from "./backup-journal.js";
import type { Exclusive } from "../exclusive.js";
import type { JournalRecord } from "./journal-record.js";

/** Up to which record of the journal a store has come; a part of each of its writes. */
export const POSITION = "journal";

/** The number of the last record that a store has. */
export function positionOf(store: Store): bigint {
  const bytes = store.get(POSITION);
  return bytes === undefined ? 0n : new Reader(bytes, "journal position").u64();
}

function position(number: bigint): Change {
  return { key: POSITION, value: new Writer().u64(number).bytes() };
}

/** Writes what the journal has and a store lacks. @param records ascending. */
export async function catchUp(name: string, store: Store, records: readonly JournalRecord[]): Promise<void> {
  const from = positionOf(store);
  for (const { number, changes, store: of } of records) {
    if (of === name && number > from) await store.write([...changes, position(number)]);
  }
}

/** Marks a store as having everything up to a record. */
export async function setPosition(store: Store, number: bigint): Promise<void> {
  await store.write([position(number)]);
}

/** How a store's writes are backed up. */
export interface Journaling {
  /** The store's name in the backup. */
  readonly name: string;
  /** Whether a write waits until the journal is on the disk. */
  readonly sync: boolean;
}

/** A store whose writes are in the backup's journal before they are anywhere else. */
export class JournaledStore implements Store {
  readonly #store: Store;
  readonly #journal: BackupJournal;
  /** Of all stores of the journal: a base copy is taken between two writes. */
  readonly #turn: Exclusive;
  readonly #options: Journaling;

  constructor(
    store: Store,
    options: Journaling,
    modules: { readonly journal: BackupJournal; readonly turn: Exclusive },
  ) {
    this.#store = store;
    this.#options = options;
    this.#journal = modules.journal;
    this.#turn = modules.turn;
  }

  get(key: string): Uint8Array | undefined {
    return this.#store.get(key);
  }

  range(prefix: string): ReturnType<Store["range"]> {
    return this.#store.range(prefix);
  }

  /** @throws VeilgridError `backup-failed`; then nothing changed here. */
  async write(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const { name, sync } = this.#options;
    await this.#turn.run(async () => {
      const number = await this.#journal.append(name, changes, sync);
      await this.#store.write([...changes, position(number)]);
    });
  }
}
