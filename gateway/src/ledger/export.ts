import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { VeilgridError, Writer } from "@veilgrid/protocol";
import type { Ledger } from "../ports/ledger.js";
import { NO_BLOCK, blockHash, encodeBlock } from "./block.js";
import { MAGIC, MAX_BLOCK_BYTES } from "./ledgerfile.js";
import type { Tip } from "./state.js";

function prefixed(bytes: Uint8Array, number: bigint): Uint8Array {
  if (bytes.length <= MAX_BLOCK_BYTES) return new Writer().u32(bytes.length).raw(bytes).bytes();
  throw new VeilgridError("out-of-range", "a block is too large for a ledger file", {
    facts: { block: number.toString(), bytes: bytes.length },
    blame: "ledger",
  });
}

/**
 * Writes all blocks of any ledger into one file that LedgerFile reads, gzipped where its name ends in .gz. The file
 * takes its name only when it is whole and on disk. Returns height and hash of what is in it.
 */
export async function exportLedger(ledger: Pick<Ledger, "blocks">, file: string): Promise<Tip> {
  let tip: Tip = { height: 0n, hash: NO_BLOCK };
  async function* content(): AsyncGenerator<Uint8Array> {
    yield MAGIC;
    for await (const block of ledger.blocks(0n)) {
      const bytes = encodeBlock(block, tip.hash);
      tip = { height: block.number + 1n, hash: blockHash(bytes) };
      yield prefixed(bytes, block.number);
    }
    yield new Writer().u32(0).u64(tip.height).fixed(tip.hash, 32).bytes();
  }
  const part = `${file}.part`;
  const source = Readable.from(content());
  const target = createWriteStream(part, { flush: true });
  try {
    if (file.endsWith(".gz")) await pipeline(source, createGzip(), target);
    else await pipeline(source, target);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return tip;
}
