import { VeilgridError } from "@veilgrid/protocol";
import { ClassicLevel } from "classic-level";
import type { Change, Store } from "../ports/store.js";

/** One database for all roles of a process. */
export type Database = ClassicLevel<string, Uint8Array>;

/** How a store writes. */
export interface LevelStoreOptions {
  /**
   * Whether a write waits for the disk (default). Without it a write survives the end of the process (`kill -9`) but not
   * that of the machine: only for runs that can be made again.
   */
  readonly sync?: boolean;
}

/**
 * Opens (or makes) the database in a folder.
 * @throws VeilgridError `store-in-use` while another process has it, `store-unreadable` otherwise.
 */
export async function openDatabase(folder: string): Promise<Database> {
  const database: Database = new ClassicLevel(folder, { keyEncoding: "utf8", valueEncoding: "view" });
  try {
    await database.open();
  } catch (cause) {
    const locked = String((cause as { cause?: { code?: string } }).cause?.code) === "LEVEL_LOCKED";
    throw new VeilgridError(
      locked ? "store-in-use" : "store-unreadable",
      locked ? "another process uses this data folder" : "the database of this data folder cannot be opened",
      { facts: { folder }, blame: "operator", retry: locked, cause },
    );
  }
  return database;
}

/** Whether nothing was ever kept in it. */
export async function isEmpty(database: Database): Promise<boolean> {
  return (await database.keys({ limit: 1 }).all()).length === 0;
}

/** Changes that go to the disk together, and when they are there. */
interface Batch {
  readonly changes: Change[];
  readonly done: Promise<void>;
}

/**
 * A role's part of the database: its keys are kept apart by a prefix, and a write is there as a whole or not at all. Writes
 * take effect in the order in which they were asked for; what is asked for while the disk is at work goes to it together.
 */
export class LevelStore implements Store {
  readonly #database: Database;
  readonly #prefix: string;
  readonly #sync: boolean;
  /** The batch that the disk has not begun with. */
  #next: Batch | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param role names the part, such as "da/0"; no part's name is the beginning of another's followed by "!". */
  constructor(database: Database, role: string, options: LevelStoreOptions = {}) {
    this.#database = database;
    this.#prefix = `${role}!`;
    this.#sync = options.sync ?? true;
  }

  get(key: string): Uint8Array | undefined {
    return this.#database.getSync(this.#prefix + key);
  }

  write(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return Promise.resolve();
    this.#next ??= this.#batch();
    // Copies: the caller may use its arrays again before the disk has them.
    this.#next.changes.push(...changes.map(({ key, value }) => ({ key, value: value?.slice() })));
    return this.#next.done;
  }

  /** A batch that is written when the one before it is. */
  #batch(): Batch {
    const changes: Change[] = [];
    const begin = (): Promise<void> => {
      this.#next = undefined;
      return this.#commit(changes);
    };
    // Whoever asked for the batch before has heard that it failed.
    const done = this.#last.then(begin, begin);
    this.#last = done;
    return { changes, done };
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    await this.#database.batch(
      changes.map(({ key, value }) =>
        value === undefined
          ? { type: "del" as const, key: this.#prefix + key }
          : { type: "put" as const, key: this.#prefix + key, value },
      ),
      { sync: this.#sync },
    );
  }

  async range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> {
    const from = this.#prefix + prefix;
    // Keys are ASCII, so every key that begins with `from` sorts below `from` and the greatest character.
    const entries = await this.#database.iterator({ gte: from, lt: `${from}\u{10ffff}` }).all();
    return entries.map(([key, value]) => ({ key: key.slice(this.#prefix.length), value }));
  }
}
