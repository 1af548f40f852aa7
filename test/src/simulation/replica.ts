import type { LedgerBlock, LedgerEvent } from "@veilgrid/gateway";
import type { StateReader } from "@veilgrid/protocol";

interface Kept {
  readonly value: Uint8Array;
  /** The block that wrote it. */
  readonly version: number;
}

/** One organisation's peer: its copy of the ledger's state, which follows the blocks in their order, each when it comes. */
export class Replica implements StateReader {
  readonly #state = new Map<string, Kept>();
  #height = 0;
  /** The events of all blocks so far, with the number of their block. */
  readonly events: LedgerEvent[] = [];

  /** How many blocks it has. */
  get height(): number {
    return this.#height;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#state.get(key)?.value);
  }

  /** The state as an endorser reads it, and the version of each key that it has read so far. */
  recording(): { readonly reader: StateReader; readonly reads: ReadonlyMap<string, number> } {
    const reads = new Map<string, number>();
    const get = (key: string): Promise<Uint8Array | undefined> => {
      const kept = this.#state.get(key);
      reads.set(key, kept?.version ?? -1);
      return Promise.resolve(kept?.value);
    };
    return { reader: { get }, reads };
  }

  /** Takes the next block in. */
  apply({ number, transactions }: LedgerBlock): void {
    if (number !== BigInt(this.#height)) throw new Error(`block ${number} after ${this.#height - 1}`);
    for (const { validation, writes, event, txId } of transactions) {
      if (validation !== "VALID") continue;
      for (const { key, value } of writes) {
        if (value === undefined) this.#state.delete(key);
        else this.#state.set(key, { value, version: this.#height });
      }
      if (event !== undefined) this.events.push({ blockNumber: number, txId, ...event });
    }
    this.#height += 1;
  }

  /** Everything that it holds, to compare it with another. */
  contents(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#state].map(([key, { value }]) => [key, value]));
  }
}
