import type { StateReader } from "@veilgrid/protocol";
import type { LedgerBlock, Write } from "../ports/ledger.js";
import type { Store } from "../ports/store.js";

/** A state that writes can be applied to: a scratch database, or a map in tests. */
export class ReplayedState implements StateReader {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#store.get(key));
  }

  async apply(writes: readonly Write[]): Promise<void> {
    await this.#store.write(writes);
  }
}

/** Fabric's name for a transaction whose writes took effect. */
export const VALID = "VALID";

/**
 * The state that a ledger's blocks lead to, taken at their word. Whoever relies on it verifies what it reads
 * (customers do), or replays by `audit` instead.
 */
export async function replay(blocks: AsyncIterable<LedgerBlock>, store: Store): Promise<ReplayedState> {
  const state = new ReplayedState(store);
  for await (const block of blocks) {
    const valid = block.transactions.filter(({ validation }) => validation === VALID);
    for (const { writes } of valid) await state.apply(writes);
  }
  return state;
}
