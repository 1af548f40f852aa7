import { access } from "node:fs/promises";
import { VeilgridError, type StateReader } from "@veilgrid/protocol";
import { replay } from "../audit/replay.js";
import type { ChannelBlocks, LedgerBlock } from "../ports/ledger.js";
import { openScratch } from "../store/scratch.js";
import { decodeBlock } from "./block.js";
import { LedgerFile } from "./ledgerfile.js";
import { StateDatabase, type Tip } from "./state.js";

/** A ledger that is only read: no contract runs, and nothing can be added. */
export interface StoredLedger {
  readonly state: StateReader;
  /** Height, and the hash that stands for everything on the ledger. */
  readonly tip: Tip;
  /** The blocks from `from` up to the height. */
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
  /** The blocks as Fabric has them, of a ledger that is a channel of it. */
  channel?(): Promise<ChannelBlocks | undefined>;
  close(): Promise<void>;
}

/**
 * The ledger in a data folder.
 * @param path folder of its database, which is not made where it is not there.
 * @throws VeilgridError `no-ledger`, `ledger-in-use`, `ledger-damaged`.
 */
export async function openLedgerFolder(path: string): Promise<StoredLedger> {
  await access(path).catch((cause: unknown) => {
    throw new VeilgridError("no-ledger", `${path} holds no ledger`, { facts: { path }, blame: "caller", cause });
  });
  const database = await StateDatabase.open(path);
  return {
    state: { get: (key) => Promise.resolve(database.current.get(key)?.value) },
    tip: database.tip,
    blocks: (from) => blocksOf(database, from),
    close: () => database.close(),
  };
}

async function* blocksOf(database: StateDatabase, from: bigint): AsyncGenerator<LedgerBlock> {
  for (let number = from; number < database.tip.height; number += 1n) {
    yield decodeBlock(database.block(number) as Uint8Array, number);
    await Promise.resolve();
  }
}

/**
 * The ledger in an exported file, replayed into a scratch store. Its blocks are taken at their word: who relies on what
 * the state says verifies it, as customers do, or audits the file.
 * @throws VeilgridError `ledger-file-unreadable`, `ledger-file-foreign`, `ledger-file-truncated`, `ledger-file-garbled`.
 */
export async function openLedgerFile(path: string): Promise<StoredLedger> {
  const file = new LedgerFile(path);
  const tip = await file.tip();
  const scratch = await openScratch();
  try {
    const state = await replay(file.blocks(0n), scratch.store);
    return {
      state,
      tip,
      blocks: (from) => file.blocks(from),
      channel: () => file.channel(),
      close: () => scratch.close(),
    };
  } catch (error) {
    await scratch.close();
    throw error;
  }
}
