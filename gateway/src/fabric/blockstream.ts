import type { BlockReader } from "./blockreader.js";
import { ledgerStalled, sourceFailed } from "./faults.js";
import type { Patience } from "./patience.js";
import type { BlockParts } from "./rawblock.js";
import type { NamedSource, RawBlock } from "./source.js";

/** A block as it came and taken apart. */
export interface GivenBlock extends BlockParts {
  readonly raw: RawBlock;
}

/** What a stream works with. */
export interface StreamModules {
  readonly reader: Pick<BlockReader, "parts">;
  readonly patience: Patience;
}

/** The blocks of one source, which may fail, give nothing, or never answer at all. */
export class BlockStream {
  readonly #source: NamedSource;
  readonly #modules: StreamModules;
  readonly #signal: AbortSignal;
  readonly #end = new AbortController();
  readonly #blocks: AsyncIterator<RawBlock>;
  #next: bigint;

  /** @param signal ends the stream: `next` then throws its reason. */
  constructor(source: NamedSource, modules: StreamModules, from: bigint, signal: AbortSignal) {
    this.#source = source;
    this.#modules = modules;
    this.#signal = signal;
    this.#next = from;
    this.#blocks = source.blocks(from, AbortSignal.any([signal, this.#end.signal]))[Symbol.asyncIterator]();
  }

  /**
   * The next block, one whose data are those of its header.
   * @param due whether the source is known to have it: then it may take `patience.stall`, otherwise any time.
   * @throws VeilgridError `ledger-stalled`, `ledger-unavailable`, `bad-fabric-block`; the reason of `signal`.
   */
  async next(due: boolean): Promise<GivenBlock> {
    const { name } = this.#source;
    const result = await this.#unlessLate(this.#blocks.next(), due).catch((error: unknown) => {
      throw this.#signal.aborted ? this.#signal.reason : sourceFailed(name, error);
    });
    if (result.done === true) throw sourceFailed(name, new Error("the stream of blocks ended"));
    const block = { ...this.#modules.reader.parts(result.value), raw: result.value };
    this.#next = block.number + 1n;
    return block;
  }

  #unlessLate<T>(work: Promise<T>, due: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = new AbortController();
      const abort = (): void => {
        reject(this.#signal.reason as Error);
      };
      if (this.#signal.aborted) abort();
      this.#signal.addEventListener("abort", abort, { signal: settled.signal });
      void work.then(resolve, reject).finally(() => {
        settled.abort();
      });
      if (due) void this.#late(settled.signal).then(reject, reject);
    });
  }

  async #late(settled: AbortSignal): Promise<Error> {
    const { patience } = this.#modules;
    const { stall } = patience;
    await patience.wait(stall, settled);
    return ledgerStalled(this.#source.name, this.#next, stall);
  }

  /** Leaves the source. One that never answers is not waited for. */
  close(): void {
    this.#end.abort();
    this.#blocks.return?.().catch(() => undefined);
  }
}
