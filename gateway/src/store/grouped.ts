import type { Change, Store } from "../ports/store.js";

/**
 * A store whose writes share the disk: those that come while one is being synced go into the next, as one. A write still
 * resolves only when it is on disk, and never before those that were asked for earlier.
 */
export class GroupedStore implements Store {
  readonly #store: Store;
  #waiting: Group | undefined;
  #busy = false;
  #writes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** How often the store below was written to. */
  get writes(): number {
    return this.#writes;
  }

  get(key: string): Uint8Array | undefined {
    return this.#store.get(key);
  }

  range(prefix: string): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> {
    return this.#store.range(prefix);
  }

  write(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return Promise.resolve();
    this.#waiting ??= new Group();
    const { done } = this.#waiting.add(changes);
    void this.#work();
    return done;
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // What is written in one turn of the process belongs together.
    await Promise.resolve();
    for (let group = this.#take(); group !== undefined; group = this.#take()) {
      this.#writes += 1;
      await group.settle(this.#store.write(group.changes));
    }
    this.#busy = false;
  }

  #take(): Group | undefined {
    const group = this.#waiting;
    this.#waiting = undefined;
    return group;
  }
}

/** Writes that are done together. */
class Group {
  readonly changes: Change[] = [];
  readonly done: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (cause: unknown) => void = () => undefined;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  add(changes: readonly Change[]): this {
    this.changes.push(...changes);
    return this;
  }

  /** All of the group's writers hear what became of it. */
  async settle(written: Promise<void>): Promise<void> {
    await written.then(this.#resolve, this.#reject);
  }
}
