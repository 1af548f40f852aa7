import type { Change, Store } from "@veilgrid/gateway";
import type { Draw, Span } from "./draw.js";
import type { Life } from "./life.js";
import type { Timeline } from "./timeline.js";

/** An entry of a store. */
export interface StoredEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** What is on a disk, for who looks at it from outside and waits for nothing. */
export class Kept implements Store {
  readonly #entries = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  /** The entries whose keys start with `prefix`, ascending. */
  entries(prefix: string): StoredEntry[] {
    const found = [...this.#entries].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }));
  }

  /** The values of the entries whose keys start with `prefix`, in any order. */
  values(prefix: string): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (const [key, value] of this.#entries) if (key.startsWith(prefix)) found.push(value);
    return found;
  }

  range(prefix: string): Promise<readonly StoredEntry[]> {
    return Promise.resolve(this.entries(prefix));
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
    return Promise.resolve();
  }
}

/**
 * When a machine dies at a write: before anything is on the disk, when it is there and nobody has been told, or just after
 * the role was told.
 */
export type DeathAtWrite = "before" | "untold" | "told";

/** How disks are in a run. */
export interface DiskModules {
  readonly timeline: Timeline;
  readonly draw: Draw;
  /** How long a write takes. */
  readonly writeMs: Span;
  /** Asked at every write. */
  readonly death: (life: Life) => DeathAtWrite | undefined;
  readonly kill: (life: Life) => void;
}

/** A machine's disk: it outlives its processes. A write is there, as a whole and after all earlier ones, some time later. */
export class Disk {
  readonly #modules: DiskModules;
  readonly #kept = new Kept();
  /** In the order in which they were asked for. */
  readonly #underWay: (readonly Change[])[] = [];
  #busyUntil = 0;

  constructor(modules: DiskModules) {
    this.#modules = modules;
  }

  /** What is on the disk, for who looks at it from outside. */
  get kept(): Kept {
    return this.#kept;
  }

  /** The disk as a process uses it. */
  store(life: Life): Store {
    return {
      get: (key) => this.#kept.get(key),
      range: (prefix) => this.#range(life, prefix),
      write: (changes) => (changes.length === 0 ? Promise.resolve() : this.#write(life, changes)),
    };
  }

  #due(): number {
    const { timeline, draw, writeMs } = this.#modules;
    this.#busyUntil = Math.max(this.#busyUntil, timeline.now() + draw.within(writeMs));
    return this.#busyUntil;
  }

  #range(life: Life, prefix: string): ReturnType<Store["range"]> {
    const found = this.#kept.range(prefix);
    return new Promise((resolve) => {
      this.#modules.timeline.at(this.#due(), `${life.name}: read`, () => {
        if (life.isAlive) resolve(found);
      });
    });
  }

  #write(life: Life, changes: readonly Change[]): Promise<void> {
    const { timeline, death, kill } = this.#modules;
    const how = life.isAlive ? death(life) : "before";
    if (how === "before") {
      kill(life);
      return new Promise(() => undefined);
    }
    // A copy: what the caller does to it later must not change what is stored.
    const write = changes.map(({ key, value }) => ({ key, value: value?.slice() }));
    this.#underWay.push(write);
    return new Promise((resolve) => {
      timeline.at(this.#due(), `${life.name}: write`, () => {
        // Who asked for it has died, and `cut` has said what became of it.
        if (this.#underWay[0] !== write) return;
        this.#underWay.shift();
        void this.#kept.write(write);
        if (how === "untold") kill(life);
        else resolve();
        if (how !== "told") return;
        timeline.at(timeline.now() + 1, `${life.name}: dies`, () => {
          kill(life);
        });
      });
    });
  }

  /** The process died: of its writes that were under way the first few are done, the others are not. */
  cut(): void {
    const count = this.#modules.draw.below(this.#underWay.length + 1);
    const done = this.#underWay.splice(0).slice(0, count);
    for (const write of done) void this.#kept.write(write);
  }
}
