import type { StateReader } from "@veilgrid/protocol";
import type { LedgerBlock } from "../ports/ledger.js";

/** A ledger with its blocks. */
export interface HistoricLedger {
  readonly state: StateReader;
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
}

const BULK = "body/";

/** The last value that a valid transaction wrote. */
async function lastWritten({ blocks }: Pick<HistoricLedger, "blocks">, key: string): Promise<Uint8Array | undefined> {
  let last: Uint8Array | undefined;
  for await (const { transactions } of blocks(0n)) {
    for (const { validation, writes } of transactions) {
      if (validation !== "VALID") continue;
      last = writes.find((write) => write.key === key && write.value !== undefined)?.value ?? last;
    }
  }
  return last;
}

/**
 * The ledger's state with what closing has deleted from it: "history is read from blocks" (PROTOCOL section 4, Close).
 * For a few values: each that is gone is looked for in all blocks.
 */
export function withHistory(ledger: HistoricLedger): StateReader {
  return {
    async get(key) {
      const present = await ledger.state.get(key);
      if (present !== undefined || !key.startsWith(BULK)) return present;
      return lastWritten({ blocks: (from) => ledger.blocks(from) }, key);
    },
  };
}
