import { StoredKeys } from "../../src/kgcbp/keys.js";
import { SealedStore } from "../../src/kgcbp/sealed-store.js";
import { Vault, type Shelf } from "../../src/kgcbp/vault.js";
import type { Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";

/** A vault's keys in memory. */
export class MemoryShelf implements Shelf {
  readonly held = new Map<number, Uint8Array>();
  mark: number | undefined;

  keys(): Promise<ReadonlyMap<number, Uint8Array>> {
    return Promise.resolve(new Map([...this.held].map(([month, key]) => [month, key.slice()])));
  }

  erased(): Promise<number | undefined> {
    return Promise.resolve(this.mark);
  }

  put(month: number, key: Uint8Array): Promise<void> {
    this.held.set(month, key.slice());
    return Promise.resolve();
  }

  markErased(month: number): Promise<void> {
    this.mark = month;
    return Promise.resolve();
  }

  shred(month: number): Promise<void> {
    this.held.delete(month);
    return Promise.resolve();
  }
}

/** A sealed store on any store, with a vault of its own unless one is given. */
export async function sealed(
  consortium: Uint8Array,
  store: Store = new MemoryStore(),
  shelf: Shelf = new MemoryShelf(),
): Promise<SealedStore> {
  return new SealedStore(store, await Vault.open(shelf), consortium);
}

/** A key store in memory. */
export async function keysOf(consortium: Uint8Array, store?: Store, shelf?: Shelf): Promise<StoredKeys> {
  return new StoredKeys(await sealed(consortium, store, shelf), consortium);
}
