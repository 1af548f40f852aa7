import type { Store } from "../ports/store.js";
import { Backup, type BackedStore, type BackupPlace } from "./backup.js";
import { StoredKeys } from "./keys.js";
import { SealedStore } from "./sealed-store.js";
import { Vault, type Shelf } from "./vault.js";

/** The names of KGCBP's stores in its backup. */
export const BACKED = { keys: "keys", work: "work" } as const;

/** Where KGCBP keeps what it must not lose. */
export interface SafePlaces {
  /** Register and month keys. */
  readonly keys: BackedStore;
  /** Everything else. */
  readonly work: BackedStore;
  /** The wrapping keys: on another medium than stores and backup, and no part of any backup. */
  readonly shelf: Shelf;
  readonly backup: BackupPlace;
}

/**
 * KGCBP's stores with everything around them. What is written is sealed first, then journaled, then stored; so the backup
 * has every key before it is used, and nothing that opens without the vault.
 */
export class Safe {
  readonly keys: StoredKeys;
  readonly work: SealedStore;
  readonly backup: Backup;

  private constructor(keys: StoredKeys, work: SealedStore, backup: Backup) {
    this.keys = keys;
    this.work = work;
    this.backup = backup;
  }

  /** @throws VeilgridError as `Vault.open` and `Backup.open`. */
  static async open({ keys, work, shelf, backup: place }: SafePlaces): Promise<Safe> {
    const vault = await Vault.open(shelf);
    const backup = await Backup.open(place, { [BACKED.keys]: keys, [BACKED.work]: work });
    try {
      const sealed = (name: string): SealedStore =>
        new SealedStore(backup.stores[name] as Store, vault, place.consortium);
      const [own, rest] = [sealed(BACKED.keys), sealed(BACKED.work)];
      // An erasure that was cut short is done.
      await own.sweep();
      await rest.sweep();
      return new Safe(new StoredKeys(own, place.consortium), rest, backup);
    } catch (error) {
      await backup.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.backup.close();
  }
}
