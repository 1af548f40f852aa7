import type { Shelf } from "../../src/kgcbp/vault.js";
import type { Change, Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { MemoryShelf } from "./sealed.js";

/** When a process dies: after so many writes, of which it counts all. */
export interface Crash {
  after: number;
  writes: number;
}

/** What a process that died throws on its way out. */
export class Died extends Error {}

function write<T>(crash: Crash, task: () => Promise<T>): Promise<T> {
  if (crash.writes >= crash.after) throw new Died();
  crash.writes += 1;
  return task();
}

/** Passes on so many writes, and none after. */
export function dying(kept: Store, crash: Crash): Store {
  return {
    get: (key) => kept.get(key),
    range: (prefix) => kept.range(prefix),
    write: async (changes: readonly Change[]) => write(crash, () => kept.write(changes)),
  };
}

/** A store and a vault that outlive the processes that write to them. */
export class Disk {
  readonly kept = new MemoryStore();
  readonly keptShelf = new MemoryShelf();

  store(crash: Crash): Store {
    return dying(this.kept, crash);
  }

  shelf(crash: Crash): Shelf {
    const kept = this.keptShelf;
    return {
      keys: () => kept.keys(),
      erased: () => kept.erased(),
      put: async (month, key) => write(crash, () => kept.put(month, key)),
      markErased: async (month) => write(crash, () => kept.markErased(month)),
      shred: async (month) => write(crash, () => kept.shred(month)),
    };
  }

  /** Whether a life comes to its end in `after` writes. */
  async survives(live: (crash: Crash) => Promise<void>, after: number): Promise<boolean> {
    try {
      await live({ after, writes: 0 });
      return true;
    } catch (error) {
      if (error instanceof Died) return false;
      throw error;
    }
  }
}
