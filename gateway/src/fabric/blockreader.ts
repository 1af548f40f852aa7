import type { LedgerBlock } from "../ports/ledger.js";
import { ledgerBlock } from "./block.js";
import { readBlock, type BlockParts } from "./rawblock.js";
import type { RawBlock } from "./source.js";

/** How the bytes that sources give are read: what is followed need not be a channel of Fabric's. */
export interface BlockReader {
  /** Takes a block apart and checks that it is one. @throws VeilgridError where it is none. */
  parts(raw: RawBlock): BlockParts;
  /** The transactions that count for whoever follows. @throws VeilgridError where they cannot be read. */
  block(parts: BlockParts): LedgerBlock;
}

/** Fabric's blocks, of which one chaincode's transactions are looked at. */
export function channelReader(chaincode: string): BlockReader {
  return { parts: readBlock, block: (parts) => ledgerBlock(parts, chaincode) };
}
