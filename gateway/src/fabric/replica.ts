import type { StateReader } from "@veilgrid/protocol";
import type { ChannelBlocks, LedgerBlock, LedgerEvent } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import type { Store } from "../ports/store.js";
import { channelReader, type BlockReader } from "./blockreader.js";
import { BlockStream, type GivenBlock } from "./blockstream.js";
import { sourceFailed } from "./faults.js";
import { Following, requireSeen } from "./following.js";
import { KeptLedger } from "./kept.js";
import { machinePatience, type Patience } from "./patience.js";
import type { NamedSource, RawBlock } from "./source.js";

export interface ReplicaOptions {
  /** Where it is kept; nobody else writes to it. Its batches must survive a crash. */
  readonly store: Store;
  /** The peers, at least one, the preferred one first. */
  readonly sources: readonly NamedSource[];
  /** Whose state it is. */
  readonly chaincode: string;
  /** How the sources' blocks are read; by default as Fabric's. */
  readonly reader?: BlockReader;
  readonly log?: Log;
  readonly patience?: Patience;
}

/**
 * A chaincode's state, kept by following the blocks that a peer commits: each block is written as one batch together with
 * how far the replica has come, so after a crash it goes on behind the last whole block. What it says is what the
 * followed peer says, chained to what was seen before; whoever must not trust that peer verifies what it reads.
 */
export class Replica {
  readonly #kept: KeptLedger;
  readonly #following: Following;
  readonly #sources: readonly NamedSource[];
  readonly #chaincode: string;
  readonly #reader: BlockReader;
  readonly #patience: Patience;

  private constructor(options: ReplicaOptions) {
    const { store, sources, chaincode, log = silent, patience = machinePatience } = options;
    const reader = options.reader ?? channelReader(chaincode);
    this.#sources = sources;
    this.#chaincode = chaincode;
    this.#reader = reader;
    this.#patience = patience;
    this.#kept = new KeptLedger(store, chaincode);
    this.#following = new Following({ kept: this.#kept, sources, reader, log, patience });
  }

  /** Begins to follow where the store ends. @throws VeilgridError `replica-damaged`, also for a store of another chaincode. */
  static open(options: ReplicaOptions): Promise<Replica> {
    return Promise.resolve().then(() => new Replica(options));
  }

  /** The state after the last block that is here. */
  get state(): StateReader {
    return this.#kept.state;
  }

  /** Number of blocks that are here. */
  get height(): bigint {
    return this.#kept.tip.height;
  }

  /** Hash of the last block's header, 32 bytes; zero before the first. */
  get tip(): Uint8Array {
    return this.#kept.tip.hash;
  }

  /** The followed peer's commit hash of the last block, 32 bytes; undefined where it has none. */
  get commitHash(): Uint8Array | undefined {
    return this.#kept.tip.commitHash;
  }

  /**
   * Waits until a peer has confirmed what is here, and, for a number that is not negative, until that block is here too.
   * @param number a block that is known to be committed: peers that do not give it are left for others.
   * @throws VeilgridError `ledger-stalled`, `ledger-forked` when all peers contradict what is here, `ledger-unavailable`
   *   when it is closed or cannot be written.
   */
  reached(number: bigint): Promise<void> {
    return this.#following.reached(number);
  }

  /** The events of the blocks from `from` up to the present height, in order. */
  async *events(from: bigint): AsyncGenerator<LedgerEvent> {
    const { height } = this;
    for (let number = from; number < height; number += 1n) {
      yield* this.#kept.events(number);
      await Promise.resolve();
    }
  }

  /**
   * The blocks from `from` up to the present height, read from a peer again: they are a hundred times what is kept here,
   * and who asks for them (audits, exports) asks once. Each must be the one that was seen when it was followed.
   * @throws VeilgridError `ledger-forked`, `ledger-stalled`, `ledger-unavailable` when no peer gives them.
   */
  async *blocks(from: bigint): AsyncGenerator<LedgerBlock> {
    for await (const block of this.#reread(from)) yield this.#reader.block(block);
  }

  /** As `blocks`, as a peer gives them. */
  get channel(): ChannelBlocks {
    return { chaincode: this.#chaincode, rawBlocks: (from) => this.#rawBlocks(from) };
  }

  async *#rawBlocks(from: bigint): AsyncGenerator<RawBlock> {
    for await (const { raw } of this.#reread(from)) yield raw;
  }

  async *#reread(from: bigint): AsyncGenerator<GivenBlock> {
    const { height } = this;
    let failures = 0;
    for (let next = from, turn = 0; next < height; turn += 1) {
      const source = this.#sources[turn % this.#sources.length] as NamedSource;
      const modules = { reader: this.#reader, patience: this.#patience };
      const stream = new BlockStream(source, modules, next, this.#following.signal);
      try {
        for (; next < height; next += 1n) {
          const block = await this.#seen(stream, source, next);
          failures = 0;
          yield block;
        }
      } catch (error) {
        failures += 1;
        if (failures === this.#sources.length) throw sourceFailed(source.name, error);
      } finally {
        stream.close();
      }
    }
  }

  async #seen(stream: BlockStream, source: NamedSource, number: bigint): Promise<GivenBlock> {
    const block = await stream.next(true);
    requireSeen(this.#kept, source, number, block);
    return block;
  }

  /** Ends following. The store stays open. */
  close(): Promise<void> {
    return this.#following.stop();
  }
}
