import { ClassicLevel } from "classic-level";
import { Reader, Writer, concat, equalBytes, utf8 } from "@veilgrid/protocol";
import type { Write } from "../ports/ledger.js";
import { NO_BLOCK, blockHash } from "./block.js";
import { ledgerDamaged, openFailed } from "./errors.js";
import { plain } from "./plain.js";
import { MAX_VECTOR } from "./rwset.js";
import type { Version } from "./rwset.js";

// Keys of the database: "s" ‖ a contract's key, "b" ‖ block number (16 hex digits), "t" for the tip, "x" ‖ a
// transaction's id.
// Values: version (uint64 block, uint32 transaction) ‖ the contract's value; the block; uint64 height ‖ hash[32];
// uint64 block ‖ opaque validation<0..255> ‖ the contract's answer.
const STATE = "s";
const AFTER_STATE = "t";
const TIP = "t";
const TRANSACTION = "x";
const VERSION_BYTES = 12;

type Database = ClassicLevel<string, Buffer>;
type Snapshot = ReturnType<Database["snapshot"]>;

/** A key's value and the transaction that wrote it. */
export interface Entry {
  readonly version: Version;
  readonly value: Uint8Array;
}

export interface KeyedEntry extends Entry {
  readonly key: string;
}

/** A walk through a range, `count` entries at a time; fewer than asked for only at its end. */
export interface Cursor {
  next(count: number): Promise<readonly KeyedEntry[]>;
  close(): Promise<void>;
}

/** What one transaction of a block changes. */
export interface Changes {
  readonly transaction: number;
  readonly writes: readonly Write[];
}

/** What became of a transaction, and what the contract answered, which no block says. */
export interface Placed {
  readonly txId: string;
  readonly validation: string;
  readonly result: Uint8Array;
}

/** The last block: its number + 1, and its hash. */
export interface Tip {
  readonly height: bigint;
  readonly hash: Uint8Array;
}

function toEntry(stored: Buffer): Entry {
  const version = { block: stored.readBigUInt64BE(0), transaction: stored.readUInt32BE(8) };
  return { version, value: plain(stored.subarray(VERSION_BYTES)) };
}

function blockKey(number: bigint): string {
  return `b${number.toString(16).padStart(16, "0")}`;
}

/** The contracts' state at one moment, or as it is now. */
export class StateView {
  readonly #db: Database;
  readonly #options: { snapshot?: Snapshot; keyEncoding: "utf8"; valueEncoding: "buffer" };

  /** Without a snapshot the view is of the present. */
  constructor(db: Database, snapshot?: Snapshot) {
    this.#db = db;
    this.#options = { ...(snapshot && { snapshot }), keyEncoding: "utf8", valueEncoding: "buffer" };
  }

  get(key: string): Entry | undefined {
    const stored = this.#db.getSync<string, Buffer>(STATE + key, this.#options);
    return stored === undefined ? undefined : toEntry(stored);
  }

  /** The keys from `start` up to, not including, `end` ("" for all), in the order of their UTF-8 bytes. */
  range(start: string, end: string): Cursor {
    const iterator = this.#db.iterator<string, Buffer>({
      ...this.#options,
      gte: STATE + start,
      lt: end === "" ? AFTER_STATE : STATE + end,
    });
    return {
      next: async (count) => {
        const entries: KeyedEntry[] = [];
        // The iterator gives what it has read ahead, which may be less than it was asked for.
        while (entries.length < count) {
          const more = await iterator.nextv(count - entries.length);
          if (more.length === 0) break;
          for (const [key, stored] of more) entries.push({ key: key.slice(STATE.length), ...toEntry(stored) });
        }
        return entries;
      },
      close: () => iterator.close(),
    };
  }

  async close(): Promise<void> {
    await this.#options.snapshot?.close();
  }
}

/** The database of an embedded ledger: state, blocks and tip. One process may have it open. */
export class StateDatabase {
  readonly #db: Database;
  #tip: Tip;
  /** The state as it is now. */
  readonly current: StateView;

  private constructor(db: Database, tip: Tip) {
    this.#db = db;
    this.#tip = tip;
    this.current = new StateView(db);
  }

  /**
   * Opens the database in the folder `path`, which is made if it is not there.
   * @throws VeilgridError `ledger-in-use`, `ledger-damaged`.
   */
  static async open(path: string): Promise<StateDatabase> {
    const db: Database = new ClassicLevel<string, Buffer>(path, { keyEncoding: "utf8", valueEncoding: "buffer" });
    try {
      await db.open();
    } catch (error) {
      throw openFailed(path, error);
    }
    try {
      return new StateDatabase(db, readTip(db, path));
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  get tip(): Tip {
    return this.#tip;
  }

  /** The state at this moment, whatever is committed later. Must be closed. */
  snapshot(): StateView {
    return new StateView(this.#db, this.#db.snapshot());
  }

  /** The bytes of a block below the height. */
  block(number: bigint): Uint8Array | undefined {
    const stored = this.#db.getSync(blockKey(number));
    return stored && plain(stored);
  }

  /** What became of a transaction, and in which block; undefined where none has its id. */
  placed(txId: string): (Placed & { readonly blockNumber: bigint }) | undefined {
    const stored = this.#db.getSync(TRANSACTION + txId);
    if (stored === undefined) return undefined;
    const reader = new Reader(plain(stored), "outcome of a transaction", MAX_VECTOR);
    const blockNumber = reader.u64();
    const validation = Buffer.from(reader.opaque(0, 0xff)).toString();
    return { txId, blockNumber, validation, result: reader.rest() };
  }

  /**
   * Adds the next block, what it changes and what became of its transactions: after a crash at any moment all of it is
   * there, or nothing.
   */
  async append(block: Uint8Array, changes: readonly Changes[], placed: readonly Placed[]): Promise<void> {
    const number = this.#tip.height;
    const tip = { height: number + 1n, hash: blockHash(block) };
    const batch = this.#db.batch();
    for (const { transaction, writes } of changes) {
      const version = new Writer().u64(number).u32(transaction).bytes();
      for (const { key, value } of writes) {
        if (value === undefined) batch.del(STATE + key);
        else batch.put(STATE + key, Buffer.from(concat(version, value).buffer));
      }
    }
    for (const { txId, validation, result } of placed) {
      const value = new Writer().u64(number).opaque(utf8(validation), 0, 0xff).raw(result).bytes();
      batch.put(TRANSACTION + txId, Buffer.from(value));
    }
    batch.put(blockKey(number), Buffer.from(block.buffer, block.byteOffset, block.byteLength));
    batch.put(TIP, Buffer.from(new Writer().u64(tip.height).fixed(tip.hash, 32).bytes()));
    await batch.write({ sync: true });
    this.#tip = tip;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

function readTip(db: Database, path: string): Tip {
  const stored = db.getSync(TIP);
  if (stored === undefined) return { height: 0n, hash: NO_BLOCK };
  const reader = new Reader(plain(stored), "ledger tip");
  const tip = { height: reader.u64(), hash: reader.fixed(32) };
  reader.end();
  const last = db.getSync(blockKey(tip.height - 1n));
  if (last === undefined) throw ledgerDamaged(path, "its last block is missing");
  if (!equalBytes(blockHash(last), tip.hash)) throw ledgerDamaged(path, "its last block is another than its tip");
  return tip;
}
