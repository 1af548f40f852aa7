import { concat, equalBytes } from "@veilgrid/protocol";
import type { LedgerBlock } from "../ports/ledger.js";
import { ledgerBlock } from "./block.js";
import { badBlock } from "./faults.js";
import { BLOCK, BLOCK_DATA, BLOCK_HEADER, BLOCK_METADATA, METADATA, METADATA_INDEX } from "./fields.js";
import { bytesField, numberField } from "./protobuf.js";
import { readBlock, type BlockParts } from "./rawblock.js";
import type { RawBlock } from "./source.js";

const NOTHING: Uint8Array = new Uint8Array();

/** A block's bytes in a file, and the hash of its header. */
export interface ExportedBlock {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

function encodeMetadata({ flags, commitHash }: BlockParts): Uint8Array {
  const items = [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING];
  items[METADATA_INDEX.transactionsFilter] = flags;
  if (commitHash !== undefined) items[METADATA_INDEX.commitHash] = bytesField(METADATA.value, commitHash);
  return concat(...items.map((item) => bytesField(BLOCK_METADATA.metadata, item)));
}

/**
 * A block as it is exported: the same bytes whichever peer gave it. The orderers' signatures are left out, for each
 * orderer gathers its own; the verdicts and the commit hash stay, on which all peers agree.
 * @throws VeilgridError `bad-fabric-block`.
 */
export function exportedBlock(raw: RawBlock): ExportedBlock {
  const parts = readBlock(raw);
  const header = concat(
    numberField(BLOCK_HEADER.number, parts.number),
    bytesField(BLOCK_HEADER.previousHash, parts.previous),
    bytesField(BLOCK_HEADER.dataHash, parts.dataHash),
  );
  const data = concat(...parts.data.map((envelope) => bytesField(BLOCK_DATA.data, envelope)));
  const bytes = concat(
    bytesField(BLOCK.header, header),
    bytesField(BLOCK.data, data),
    bytesField(BLOCK.metadata, encodeMetadata(parts)),
  );
  return { bytes, hash: parts.hash };
}

/**
 * Reads an exported block, which follows the block whose header hash is `previous` (that of block 0 is not looked at).
 * @throws VeilgridError `bad-fabric-block`, also for bytes that `exportedBlock` does not make.
 */
export function readExported(
  bytes: RawBlock,
  place: { readonly number: bigint; readonly previous: Uint8Array; readonly chaincode: string },
): { readonly block: LedgerBlock; readonly hash: Uint8Array } {
  const parts = readBlock(bytes);
  if (parts.number !== place.number) throw badBlock("another number than its place");
  if (!equalBytes(parts.previous, parts.number === 0n ? NOTHING : place.previous)) {
    throw badBlock("it does not follow the block before it");
  }
  if (!equalBytes(bytes, exportedBlock(bytes).bytes)) throw badBlock("more than is exported");
  return { block: ledgerBlock(parts, place.chaincode), hash: parts.hash };
}
