import { VeilgridError } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";

type Action = () => Promise<void> | void;

interface Entry {
  readonly time: number;
  readonly sequence: number;
  readonly label: string;
  /** Cleared when cancelled, so that what it holds is free at once; the entry itself leaves when its time comes. */
  action: Action | undefined;
}

/** Order of the queue: by time, and within a millisecond in the order of asking. */
function before(a: Entry, b: Entry): boolean {
  return a.time === b.time ? a.sequence < b.sequence : a.time < b.time;
}

/**
 * Virtual time as one queue of (time, sequence, action). Each action is awaited to its end before the next one begins,
 * and time stands still in it: the same inputs give the same run, however fast or slow the machine is.
 */
export class Scheduler implements Clock {
  readonly #heap: Entry[] = [];
  #now: number;
  #sequence = 0;
  #waiting = 0;

  /** @param start Unix milliseconds at which virtual time begins. */
  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** How many actions wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** When the next action is due; undefined with nothing left to do. */
  get next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.time;
  }

  at(time: number, label: string, action: Action): Timer {
    // A time that is past means at once; virtual time never goes back.
    const entry: Entry = { time: Math.max(time, this.#now), sequence: this.#sequence, label, action };
    this.#sequence += 1;
    this.#waiting += 1;
    this.#push(entry);
    return {
      cancel: () => {
        if (entry.action !== undefined) this.#waiting -= 1;
        entry.action = undefined;
      },
    };
  }

  /**
   * Runs one action; false if there is none.
   * @throws VeilgridError `action-failed` (cause: what it threw) that names the action and its time.
   */
  async step(): Promise<boolean> {
    this.#dropCancelled();
    const entry = this.#pop();
    const action = entry?.action;
    if (entry === undefined || action === undefined) return false;
    entry.action = undefined;
    this.#waiting -= 1;
    this.#now = entry.time;
    try {
      await action();
    } catch (cause) {
      throw new VeilgridError("action-failed", `${entry.label}: ${String(cause)}`, {
        facts: { label: entry.label, time: entry.time },
        blame: "nobody",
        cause,
      });
    }
    return true;
  }

  /**
   * Runs actions in their order up to and including `until` (Unix milliseconds), then sets the time to it; without
   * `until`, until nothing is left. `stop` is asked before each action.
   */
  async run(until?: number, stop: () => boolean = () => false): Promise<void> {
    for (;;) {
      if (stop()) return;
      const { next } = this;
      if (next === undefined || (until !== undefined && next > until)) break;
      await this.step();
    }
    if (until !== undefined) this.#now = Math.max(this.#now, until);
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].action === undefined) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    this.#sink(last);
    return top;
  }

  /** Puts `entry` in at the root and lets it down to its place. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Entry)) child += 1;
      if (!before(heap[child] as Entry, entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = entry;
  }
}
