import type { Clock, Timer } from "@veilgrid/gateway";
import type { RealWork } from "./real-work.js";

interface Entry {
  readonly time: number;
  readonly sequence: number;
  readonly label: string;
  /** Gone when it was cancelled. */
  action: (() => void) | undefined;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time === b.time ? a.sequence < b.sequence : a.time < b.time;
}

/**
 * Virtual time as a queue of moments. Unlike the gateway's scheduler it does not await what an action does: an action is
 * begun, whatever it does on the processor comes to rest, and time goes on, while the action itself may wait for a disk or
 * a ledger that answers at a later moment. So actions of one role interleave at every await, as they do in a service.
 */
export class Timeline implements Clock {
  readonly #heap: Entry[] = [];
  readonly #work: RealWork;
  #now: number;
  #sequence = 0;
  #steps = 0;
  #digest = 0x811c9dc5;
  #digest2 = 0x9e3779b1;
  /** Hears of each moment; for traces. */
  onStep: ((time: number, label: string) => void) | undefined;

  /** @param start Unix milliseconds at which time begins. */
  constructor(start: number, work: RealWork) {
    this.#now = start;
    this.#work = work;
  }

  now(): number {
    return this.#now;
  }

  /** How many moments there were. */
  get steps(): number {
    return this.#steps;
  }

  /** Stands for all moments so far, their times and labels. */
  get digest(): string {
    return [this.#digest, this.#digest2].map((half) => half.toString(16).padStart(8, "0")).join("");
  }

  at(time: number, label: string, action: () => Promise<void> | void): Timer {
    const entry: Entry = {
      time: Math.max(time, this.#now),
      sequence: this.#sequence,
      label,
      action: () => void action(),
    };
    this.#sequence += 1;
    this.#push(entry);
    return {
      cancel: () => {
        entry.action = undefined;
      },
    };
  }

  /** Runs until nothing is left, or the next moment would be after `until` (Unix milliseconds), or `stop` says so. */
  async run(until: number, stop: () => boolean = () => false): Promise<void> {
    for (;;) {
      const entry = this.#heap[0];
      if (entry === undefined || entry.time > until || stop()) break;
      this.#pop();
      if (entry.action === undefined) continue;
      this.#now = entry.time;
      this.#note(entry);
      entry.action();
      await this.#work.rest();
    }
    if (!stop()) this.#now = Math.max(this.#now, until);
  }

  #note({ time, label }: Entry): void {
    this.#steps += 1;
    const text = `${time} ${label}`;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      this.#digest = Math.imul(this.#digest ^ code, 0x01000193) >>> 0;
      this.#digest2 = Math.imul(this.#digest2 + code, 0x85ebca6b) >>> 0;
    }
    this.onStep?.(time, label);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}
