import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { Reader, concat, equalBytes, isVeilgridError, utf8 } from "@veilgrid/protocol";
import type { ChannelBlocks, LedgerBlock, LedgerEvent } from "../ports/ledger.js";
import { NO_BLOCK } from "./block.js";
import { channelForm, embeddedForm, type BlockForm } from "./blockform.js";
import { fileFault } from "./errors.js";
import { eventsOf } from "./events.js";
import { plain } from "./plain.js";
import type { Tip } from "./state.js";

// A ledger in one file, gzipped where its name ends in .gz:
//
//   LedgerFile { "VGLEDGER"; uint8 version = 1; { opaque block<1..2^28>, prefix uint32 } [height]; uint32 0; Trailer }
//   Trailer    { uint64 height; hash[32] of the last block, zero without one }
//
// The blocks are those of block.ts, from number 0. The chain of their hashes ends in the trailer, so a byte that is
// missing, added or changed anywhere is noticed, and two files of one ledger are the same bytes.
//
// Of a Fabric channel:
//
//   LedgerFile { "VGLEDGER"; uint8 version = 2; opaque chaincode<1..255>; { opaque block<1..2^28>, prefix uint32 } [height];
//                uint32 0; Trailer; digest[32] }
//
// The blocks are Fabric's own (fabric/exported.ts), so the trailer's hash is the channel's: that of the last block's header,
// which every peer tells. A header does not cover the verdicts, so a digest does: SHA-256 of all before it.

/** What a file begins with, followed by its version. */
export const MAGIC: Uint8Array = utf8("VGLEDGER");
/** Most bytes of a block in a file. */
export const MAX_BLOCK_BYTES = 2 ** 28;
const PREFIX_BYTES = 4;
const TRAILER_BYTES = 40;

/** Takes given numbers of bytes off a stream. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #digest = createHash("sha256");
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `count` bytes, or what is left if that is fewer. */
  async take(count: number): Promise<Uint8Array> {
    while (this.#size < count) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#held.push(plain(next.value));
      this.#size += next.value.length;
    }
    const all = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : concat(...this.#held);
    const rest = all.subarray(count);
    this.#held = [rest];
    this.#size = rest.length;
    const taken = all.subarray(0, count);
    this.#digest.update(taken);
    return taken;
  }

  /** SHA-256 of all that was taken. */
  get digest(): Uint8Array {
    return plain(this.#digest.copy().digest());
  }

  /** Stops reading. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

function open(file: string): ByteSource {
  const raw = createReadStream(file, { highWaterMark: 262_144 });
  if (!file.endsWith(".gz")) return new ByteSource(raw as AsyncIterable<Uint8Array>);
  // An error of either stream is thrown to whoever reads the last one.
  return new ByteSource(pipeline(raw, createGunzip(), () => undefined) as AsyncIterable<Uint8Array>);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** A ledger that was exported to a file (see `exportLedger`), for reading. */
export class LedgerFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * The blocks from `from` on. The file is read from its beginning and checked as it goes, so blocks come before
   * a fault further on is noticed: `tip` reads all of it.
   * @throws VeilgridError `ledger-file-unreadable`, `ledger-file-foreign` (no ledger file, or another version),
   * `ledger-file-truncated`, `ledger-file-garbled`.
   */
  async *blocks(from: bigint): AsyncGenerator<LedgerBlock> {
    for await (const { block } of this.#read()) {
      if (block.number >= from) yield block;
    }
  }

  /** The events of the blocks from `from` on, in order. @throws VeilgridError as `blocks`. */
  events(from: bigint): AsyncIterable<LedgerEvent> {
    return eventsOf(this.blocks(from));
  }

  /** Reads and checks the whole file. @throws VeilgridError as `blocks`. */
  async tip(): Promise<Tip> {
    let tip: Tip = { height: 0n, hash: NO_BLOCK };
    for await (const { block, hash } of this.#read()) tip = { height: block.number + 1n, hash };
    return tip;
  }

  /** The blocks as they are in a file of a Fabric channel; undefined where it is of an embedded ledger. @throws as `blocks`. */
  async channel(): Promise<ChannelBlocks | undefined> {
    const source = open(this.#file);
    try {
      const { chaincode } = await this.#readHead(source);
      return chaincode === undefined ? undefined : { chaincode, rawBlocks: (from) => this.#rawBlocks(from) };
    } catch (error) {
      throw this.#explain(error, 0n);
    } finally {
      await source.close();
    }
  }

  async *#rawBlocks(from: bigint): AsyncGenerator<Uint8Array> {
    for await (const { block, bytes } of this.#read()) {
      if (block.number >= from) yield bytes;
    }
  }

  async *#read(): AsyncGenerator<{ block: LedgerBlock; hash: Uint8Array; bytes: Uint8Array }> {
    const source = open(this.#file);
    let tip: Tip = { height: 0n, hash: NO_BLOCK };
    try {
      const form = await this.#readHead(source);
      for (let bytes = await this.#readFrame(source, tip); bytes; bytes = await this.#readFrame(source, tip)) {
        const { block, hash } = form.read(bytes, tip);
        tip = { height: tip.height + 1n, hash };
        yield { block, hash, bytes };
      }
      await this.#readTrailer(source, tip, form);
    } catch (error) {
      throw this.#explain(error, tip.height);
    } finally {
      await source.close();
    }
  }

  async #take(source: ByteSource, count: number, at: bigint): Promise<Uint8Array> {
    const bytes = await source.take(count);
    if (bytes.length < count) throw fileFault("ledger-file-truncated", this.#file, at, "the file ends here");
    return bytes;
  }

  async #readHead(source: ByteSource): Promise<BlockForm> {
    const magic = await source.take(MAGIC.length + 1);
    const version = magic[MAGIC.length];
    const isKnown = equalBytes(magic.subarray(0, MAGIC.length), MAGIC) && (version === 1 || version === 2);
    if (!isKnown) throw fileFault("ledger-file-foreign", this.#file, 0n, "this is no ledger file of version 1 or 2");
    if (version === 1) return embeddedForm;
    const length = (await this.#take(source, 1, 0n))[0] as number;
    if (length === 0) throw fileFault("ledger-file-garbled", this.#file, 0n, "it names no chaincode");
    const chaincode = Buffer.from(await this.#take(source, length, 0n)).toString();
    return channelForm(chaincode);
  }

  /** The next block's bytes; undefined where the trailer follows. */
  async #readFrame(source: ByteSource, { height }: Tip): Promise<Uint8Array | undefined> {
    const size = new Reader(await this.#take(source, PREFIX_BYTES, height), "length").u32();
    if (size > MAX_BLOCK_BYTES) throw fileFault("ledger-file-garbled", this.#file, height, "a block too large");
    return size === 0 ? undefined : await this.#take(source, size, height);
  }

  async #readTrailer(source: ByteSource, { height, hash }: Tip, { chaincode }: BlockForm): Promise<void> {
    const trailer = new Reader(await this.#take(source, TRAILER_BYTES, height), "trailer");
    const isRight = trailer.u64() === height && equalBytes(trailer.fixed(32), hash);
    if (!isRight) throw fileFault("ledger-file-garbled", this.#file, height, "its end names other blocks");
    if (chaincode !== undefined) await this.#readDigest(source, height);
    const more = await source.take(1);
    if (more.length > 0) throw fileFault("ledger-file-garbled", this.#file, height, "bytes after its end");
  }

  async #readDigest(source: ByteSource, height: bigint): Promise<void> {
    const { digest } = source;
    const isRight = equalBytes(await this.#take(source, digest.length, height), digest);
    if (!isRight) throw fileFault("ledger-file-garbled", this.#file, height, "its bytes are not those of its digest");
  }

  #explain(error: unknown, at: bigint): unknown {
    if (isVeilgridError(error, "malformed") || isVeilgridError(error, "bad-fabric-block")) {
      return fileFault("ledger-file-garbled", this.#file, at, error.message, error);
    }
    const code = codeOf(error);
    if (code === "Z_BUF_ERROR") return fileFault("ledger-file-truncated", this.#file, at, "the file ends here", error);
    if (code.startsWith("Z_")) return fileFault("ledger-file-garbled", this.#file, at, "it cannot be unzipped", error);
    if (code.startsWith("E"))
      return fileFault("ledger-file-unreadable", this.#file, at, `it cannot be read (${code})`, error);
    return error;
  }
}
