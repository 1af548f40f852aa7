import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { VeilgridError, Writer, concat } from "@veilgrid/protocol";
import type { ChannelBlocks, Ledger } from "../ports/ledger.js";
import { NO_BLOCK, blockHash, encodeBlock } from "./block.js";
import { channelForm, embeddedForm } from "./blockform.js";
import { MAGIC, MAX_BLOCK_BYTES } from "./ledgerfile.js";
import { plain } from "./plain.js";
import type { Tip } from "./state.js";

function prefixed(bytes: Uint8Array, number: bigint): Uint8Array {
  if (bytes.length <= MAX_BLOCK_BYTES) return new Writer().u32(bytes.length).raw(bytes).bytes();
  throw new VeilgridError("out-of-range", "a block is too large for a ledger file", {
    facts: { block: number.toString(), bytes: bytes.length },
    blame: "ledger",
  });
}

/** A ledger that can be written to a file. */
export type Exportable = Pick<Ledger, "blocks" | "channel">;

/** A block's bytes in a file, and its hash. */
interface FileBlock {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

async function* fileBlocks(ledger: Exportable, channel: ChannelBlocks | undefined): AsyncGenerator<FileBlock> {
  if (channel !== undefined) {
    const { exportedBlock } = await import("../fabric/exported.js");
    for await (const raw of channel.rawBlocks(0n)) yield exportedBlock(raw);
    return;
  }
  let hash = NO_BLOCK;
  for await (const block of ledger.blocks(0n)) {
    const bytes = encodeBlock(block, hash);
    hash = blockHash(bytes);
    yield { bytes, hash };
  }
}

/**
 * Writes all blocks of any ledger into one file that LedgerFile reads, gzipped where its name ends in .gz. The file
 * takes its name only when it is whole and on disk. Returns height and hash of what is in it: of a Fabric channel the
 * hash of the last block's header.
 */
export async function exportLedger(ledger: Exportable, file: string): Promise<Tip> {
  const channel = await ledger.channel?.();
  const form = channel === undefined ? embeddedForm : await channelForm(channel.chaincode);
  const digest = createHash("sha256");
  let tip: Tip = { height: 0n, hash: NO_BLOCK };
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield concat(MAGIC, form.head);
    for await (const { bytes, hash } of fileBlocks(ledger, channel)) {
      yield prefixed(bytes, tip.height);
      tip = { height: tip.height + 1n, hash };
    }
    yield new Writer().u32(0).u64(tip.height).fixed(tip.hash, 32).bytes();
  }
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const bytes of parts()) {
      digest.update(bytes);
      yield bytes;
    }
    if (form.chaincode !== undefined) yield plain(digest.digest());
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
