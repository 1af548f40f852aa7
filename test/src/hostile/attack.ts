import type { Head } from "./messages.js";

/** What an attacker is told to do. */
export interface Order {
  readonly attack: string;
  /** The consortium's folder: all that any party has. */
  readonly folder: string;
  readonly head: Head;
  readonly seed: string;
  readonly seconds: number;
}

/** What became of an attack: how often what was done. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(what: string, count = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + count;
  }

  most(what: string, count: number): void {
    this.counts[what] = Math.max(this.counts[what] ?? 0, count);
  }
}

/** Makes an attack ready, which then goes on until the signal and counts what it does. */
export type Attack = (order: Order, tally: Tally) => (signal: AbortSignal) => Promise<void>;
