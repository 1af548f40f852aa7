import type { LedgerBlock, LedgerTransaction } from "../ports/ledger.js";
import { encodeBlock } from "./block.js";
import { inRange, sameVersion } from "./rwset.js";
import type { KeyRead, RangeRead, ReadWriteSet } from "./rwset.js";
import type { Changes, KeyedEntry, StateDatabase } from "./state.js";

/** Fabric's names for what becomes of a transaction (TxValidationCode of fabric-protos). */
export type Validation = "VALID" | "MVCC_READ_CONFLICT" | "PHANTOM_READ_CONFLICT";

/** A transaction that its endorsers agree on. */
export interface Endorsed {
  readonly transaction: Omit<LedgerTransaction, "writes" | "validation">;
  readonly rwset: ReadWriteSet;
  /** What the contract answered. */
  readonly result: Uint8Array;
  /** The ledger's height when the endorsers' view was taken: the view is at least as new. */
  readonly height: bigint;
}

/** Where a transaction stands, and whether it took effect. */
export interface Outcome {
  readonly blockNumber: bigint;
  readonly validation: Validation;
}

/** Entries of a range that are compared at a time. */
const PAGE = 100;

/** Checks the order of endorsed transactions against their reads, and writes blocks. */
export class Committer {
  readonly #state: StateDatabase;

  constructor(state: StateDatabase) {
    this.#state = state;
  }

  /**
   * Makes the next block of `batch`, in its order. A transaction is valid if everything it read still is as it was,
   * earlier transactions of the block included; the others stand in the block without effect.
   */
  async commit(batch: readonly Endorsed[]): Promise<readonly Outcome[]> {
    const { height, hash } = this.#state.tip;
    const touched = new Set<string>();
    const transactions: LedgerTransaction[] = [];
    const changes: Changes[] = [];
    const outcomes: Outcome[] = [];
    for (const endorsed of batch) {
      const validation = await this.#validate(endorsed, touched);
      const { writes } = endorsed.rwset;
      if (validation === "VALID") {
        changes.push({ transaction: transactions.length, writes });
        for (const { key } of writes) touched.add(key);
      }
      transactions.push({ ...endorsed.transaction, writes, validation });
      outcomes.push({ blockNumber: height, validation });
    }
    const block: LedgerBlock = { number: height, transactions };
    const placed = transactions.map(({ txId, validation }, i) => {
      const { result } = batch[i] as Endorsed;
      return { txId, validation, result };
    });
    await this.#state.append(encodeBlock(block, hash), changes, placed);
    return outcomes;
  }

  /** `touched`: the keys that earlier transactions of the block have changed. */
  async #validate({ rwset, height }: Endorsed, touched: ReadonlySet<string>): Promise<Validation> {
    // Endorsed on the state as it is: only this block can have changed what was read.
    const isFresh = height === this.#state.tip.height;
    if (rwset.reads.some(({ key }) => touched.has(key))) return "MVCC_READ_CONFLICT";
    if (!isFresh && !rwset.reads.every((read) => this.#isAsRead(read))) return "MVCC_READ_CONFLICT";
    for (const range of rwset.ranges) {
      if ([...touched].some((key) => inRange(key, range))) return "PHANTOM_READ_CONFLICT";
      if (!isFresh && !(await this.#isRangeAsRead(range))) return "PHANTOM_READ_CONFLICT";
    }
    return "VALID";
  }

  #isAsRead({ key, version }: KeyRead): boolean {
    return sameVersion(this.#state.current.get(key)?.version, version);
  }

  async #isRangeAsRead(range: RangeRead): Promise<boolean> {
    const { start, end, exhausted, reads } = range;
    // The end of a range that was left early belongs to it: the walk goes on until it is past that key.
    const cursor = this.#state.current.range(start, exhausted ? end : "");
    try {
      for (let at = 0; ; at += PAGE) {
        const now = (await cursor.next(PAGE)).filter(({ key }) => inRange(key, range));
        const then = reads.slice(at, at + PAGE);
        if (now.length !== then.length || !now.every((entry, i) => isEntryRead(entry, then[i]))) return false;
        if (now.length < PAGE) return true;
      }
    } finally {
      await cursor.close();
    }
  }
}

function isEntryRead(entry: KeyedEntry, read: KeyRead | undefined): boolean {
  return entry.key === read?.key && sameVersion(entry.version, read.version);
}
