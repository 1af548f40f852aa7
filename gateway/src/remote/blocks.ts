import type { BlockReader } from "../fabric/blockreader.js";
import type { NamedSource, RawBlock } from "../fabric/source.js";
import { NO_BLOCK, blockHash, blockLinks, decodeBlock } from "../ledger/block.js";
import { plain } from "../ledger/plain.js";
import { equalBytes } from "@veilgrid/protocol";
import type { LedgerConnection } from "./connection.js";
import { failureOf } from "./refusal.js";
import { ledgerMethods } from "./wire.js";

/** The blocks of a ledger service. */
export class ServiceBlocks implements NamedSource {
  readonly #connection: LedgerConnection;

  constructor(connection: LedgerConnection) {
    this.#connection = connection;
  }

  get name(): string {
    return this.#connection.target;
  }

  async *blocks(from: bigint, signal: AbortSignal): AsyncGenerator<RawBlock> {
    const stream = this.#connection.stream(ledgerMethods.Blocks, { from: from.toString() });
    const stop = (): void => {
      stream.cancel();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const block of stream) yield plain((block as { readonly bytes: Uint8Array }).bytes);
    } catch (error) {
      if (!signal.aborted) throw failureOf(error, this.name).error;
    } finally {
      signal.removeEventListener("abort", stop);
      stream.cancel();
    }
  }
}

/** How an embedded ledger's blocks are read: all transactions are the contract's. */
export const embeddedReader: BlockReader = {
  parts: (raw) => {
    const { number, previous, data } = blockLinks(raw);
    return {
      number,
      previous: equalBytes(previous, NO_BLOCK) ? new Uint8Array() : previous,
      dataHash: data,
      hash: blockHash(raw),
      data: [raw],
      // The verdicts are in the data.
      flags: new Uint8Array(),
      commitHash: undefined,
    };
  },
  block: ({ number, data }) => decodeBlock(data[0] as Uint8Array, number),
};
