import { exportLedger } from "../../src/ledger/export.js";
import { LedgerFile } from "../../src/ledger/ledgerfile.js";
import type { LedgerBlock, Write } from "../../src/ports/ledger.js";

/** One bit of the first reading of a readings block is another. */
function changed(write: Write): Write {
  const { key, value } = write;
  if (!key.startsWith("body/00001/") || !key.endsWith("2") || value === undefined) return write;
  const other = value.slice();
  other[39] = (other[39] as number) ^ 1;
  return { key, value: other };
}

async function* changedBlocks(file: LedgerFile, from: bigint): AsyncGenerator<LedgerBlock> {
  for await (const block of file.blocks(from)) {
    const transactions = block.transactions.map((one) => ({ ...one, writes: one.writes.map(changed) }));
    yield { ...block, transactions };
  }
}

/** Writes a ledger file that is whole as a file, and in which one reading is not the one that was voted on. */
export async function changedLedger(from: string, to: string): Promise<void> {
  const file = new LedgerFile(from);
  await exportLedger({ blocks: (number) => changedBlocks(file, number) }, to);
}
