import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import { exporter, type UnixFSEntry } from "ipfs-unixfs-exporter";
import { importBytes } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";
import type { ContentAddress, ContentStore } from "../ports/content.js";
import { addressOf, parseCid } from "./address.js";
import { BlockFolder, gather } from "./blocks.js";

/**
 * "CIDv1, UnixFS profile `unixfs-v1-2025`" (PROTOCOL section 2, content address). Named, never left to the importer,
 * whose own default is the older profile of 256 KiB chunks: above 262 144 bytes the two give different addresses.
 */
const PROFILE = "unixfs-v1-2025";

/** An IPFS block store in a folder: what is put here has the address that `ipfs add` under the same profile gives. */
export class ContentFolder implements ContentStore {
  readonly #blocks: BlockFolder;

  private constructor(blocks: BlockFolder) {
    this.#blocks = blocks;
  }

  /** Opens the folder, and makes it where it is not there. */
  static async open(path: string): Promise<ContentFolder> {
    const blocks = new BlockFolder(path);
    await blocks.open();
    return new ContentFolder(blocks);
  }

  async put(bytes: Uint8Array): Promise<ContentAddress> {
    const { cid } = await importBytes(bytes, this.#blocks, { profile: PROFILE });
    return addressOf(cid);
  }

  async get(cid: Uint8Array): Promise<Uint8Array> {
    const address = parseCid(cid);
    try {
      return await gather(contentOf(await exporter(address, this.#blocks), address));
    } catch (cause) {
      throw isVeilgridError(cause) ? cause : notAFile(address, cause);
    }
  }
}

function contentOf(entry: UnixFSEntry, address: CID): AsyncIterable<Uint8Array> {
  if (entry.type === "raw" || entry.type === "file") return entry.content();
  throw notAFile(address);
}

function notAFile(address: CID, cause?: unknown): VeilgridError {
  return new VeilgridError("content-corrupt", "the address does not lead to a readable file", {
    facts: { cid: address.toString() },
    blame: "peer",
    cause,
  });
}
