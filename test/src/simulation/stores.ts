import {
  SealedStore,
  StoredKeys,
  Vault,
  type ContentStore,
  type ContentAddress,
  type Shelf,
  type Store,
  rawAddress,
} from "@veilgrid/gateway";
import { VeilgridError, sha256, toHex } from "@veilgrid/protocol";

/** A vault's keys in memory: kept apart from the machine whose stores they open. */
export class MemoryShelf implements Shelf {
  readonly #held = new Map<number, Uint8Array>();
  #mark: number | undefined;

  keys(): Promise<ReadonlyMap<number, Uint8Array>> {
    return Promise.resolve(new Map([...this.#held].map(([month, key]) => [month, key.slice()])));
  }

  erased(): Promise<number | undefined> {
    return Promise.resolve(this.#mark);
  }

  put(month: number, key: Uint8Array): Promise<void> {
    this.#held.set(month, key.slice());
    return Promise.resolve();
  }

  markErased(month: number): Promise<void> {
    this.#mark = month;
    return Promise.resolve();
  }

  shred(month: number): Promise<void> {
    this.#held.delete(month);
    return Promise.resolve();
  }
}

/** Bills by their content address, in memory. */
export class MemoryContent implements ContentStore {
  readonly #blocks = new Map<string, Uint8Array>();

  put(bytes: Uint8Array): Promise<ContentAddress> {
    const address = rawAddress(sha256(bytes));
    this.#blocks.set(toHex(address.cid), bytes);
    return Promise.resolve(address);
  }

  get(cid: Uint8Array): Promise<Uint8Array> {
    const found = this.#blocks.get(toHex(cid));
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(
      new VeilgridError("content-missing", "nobody has these bytes", { blame: "peer", retry: true }),
    );
  }
}

/** KGCBP's stores on a disk, sealed under a vault's keys. */
export async function sealedOn(consortium: Uint8Array, shelf: Shelf, store: Store): Promise<SealedStore> {
  return new SealedStore(store, await Vault.open(shelf), consortium);
}

/** KGCBP's register on a disk. */
export async function keysOn(consortium: Uint8Array, shelf: Shelf, store: Store): Promise<StoredKeys> {
  return new StoredKeys(await sealedOn(consortium, shelf, store), consortium);
}
