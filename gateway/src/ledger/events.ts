import type { LedgerBlock, LedgerEvent } from "../ports/ledger.js";

/** The events of valid transactions, in the order of the blocks. */
export async function* eventsOf(blocks: AsyncIterable<LedgerBlock>): AsyncGenerator<LedgerEvent> {
  for await (const { number, transactions } of blocks) {
    for (const { txId, event, validation } of transactions) {
      if (event !== undefined && validation === "VALID") yield { blockNumber: number, txId, ...event };
    }
  }
}
