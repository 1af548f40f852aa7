import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { VeilgridError, concat, equalBytes, sha256 } from "@veilgrid/protocol";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import type { ReadableStorage } from "ipfs-unixfs-exporter";
import type { WritableStorage } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";

type Block = Parameters<WritableStorage["put"]>[1];

/** All parts of a stream as one array. */
export async function gather(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return concat(...all);
}

/** Forces a file or a directory's entries to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * The blocks of an IPFS block store in a folder (the layout of blockstore-fs, which Helia shares). Unlike it, a block
 * is on the disk when `put` resolves, because the ledger will hold its hash, and what is read is compared with its
 * address, because a file may have been changed.
 */
export class BlockFolder implements WritableStorage, ReadableStorage {
  readonly #path: string;
  readonly #sharding = new NextToLast();
  readonly #files: FsBlockstore;

  constructor(path: string) {
    this.#path = path;
    this.#files = new FsBlockstore(path, { shardingStrategy: this.#sharding });
  }

  async open(): Promise<void> {
    await this.#files.open();
  }

  async put(cid: CID, block: Block): Promise<CID> {
    await this.#files.put(cid, block as Uint8Array);
    const { dir, file } = this.#sharding.encode(cid);
    const path = join(this.#path, dir, file);
    // The file, its name in the folder, and the folder's own name.
    for (const part of [path, dirname(path), this.#path]) await sync(part);
    return cid;
  }

  /** @throws VeilgridError `content-missing`, `content-corrupt`. */
  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const block = await this.#read(cid);
    if (!equalBytes(sha256(block), cid.multihash.digest)) {
      throw new VeilgridError("content-corrupt", "stored bytes do not have the hash in their address", {
        facts: { cid: cid.toString(), bytes: block.length },
        blame: "operator",
      });
    }
    yield block;
  }

  async #read(cid: CID): Promise<Uint8Array> {
    try {
      return await gather(this.#files.get(cid));
    } catch (cause) {
      throw new VeilgridError("content-missing", "no such content in the block store", {
        facts: { cid: cid.toString() },
        blame: "operator",
        retry: true,
        cause,
      });
    }
  }
}
