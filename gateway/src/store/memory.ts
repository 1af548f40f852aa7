import type { Change, Store } from "../ports/store.js";

/** A store that lives as long as its process: for tests, and for what a role may lose. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Uint8Array>();

  /** How many entries it holds. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value === undefined) this.#entries.delete(key);
      // A copy: what the caller does to its array later must not change what was stored.
      else this.#entries.set(key, value.slice());
    }
    return Promise.resolve();
  }

  range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> {
    const found = [...this.#entries].filter(([key]) => key.startsWith(prefix));
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(found.map(([key, value]) => ({ key, value })));
  }
}
