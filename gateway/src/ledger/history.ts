import type { StateReader } from "@veilgrid/protocol";
import { VALID } from "../audit/replay.js";
import { openScratch, type Scratch } from "../store/scratch.js";
import type { LedgerBlock } from "../ports/ledger.js";

/** A ledger with its blocks. */
export interface HistoricLedger {
  readonly state: StateReader;
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
}

/** Where a block's leaves are: what a `close` deletes from the state. */
const BODY = "body/";

/**
 * A ledger's state with what closed months have deleted from it: "History is read from blocks" (PROTOCOL section 4,
 * Close). The blocks are walked once, and only if a closed month is asked for; what was deleted waits in a scratch store.
 * Whoever relies on it verifies it, as anything that the state says.
 */
export class History implements StateReader {
  readonly #ledger: HistoricLedger;
  #deleted: Promise<Scratch> | undefined;

  constructor(ledger: HistoricLedger) {
    this.#ledger = ledger;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#ledger.state.get(key);
    if (value !== undefined || !key.startsWith(BODY)) return value;
    this.#deleted ??= this.#collect();
    return (await this.#deleted).store.get(key);
  }

  async #collect(): Promise<Scratch> {
    const { state } = this.#ledger;
    const scratch = await openScratch();
    try {
      for await (const { transactions } of this.#ledger.blocks(0n)) {
        for (const { validation, writes } of transactions) {
          if (validation !== VALID) continue;
          for (const { key, value } of writes) {
            const isDeleted = value !== undefined && key.startsWith(BODY) && (await state.get(key)) === undefined;
            if (isDeleted) await scratch.store.write([{ key, value }]);
          }
        }
      }
      return scratch;
    } catch (error) {
      await scratch.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await (await this.#deleted)?.close();
  }
}

/** Lends a ledger's state with its history, while the ledger stays as it is. */
export async function withHistory<T>(ledger: HistoricLedger, use: (history: History) => Promise<T>): Promise<T> {
  const history = new History(ledger);
  try {
    return await use(history);
  } finally {
    await history.close();
  }
}
