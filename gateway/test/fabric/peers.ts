import type { Patience } from "../../src/fabric/patience.js";
import type { NamedSource, RawBlock } from "../../src/fabric/source.js";
import type { Link } from "./forge.js";

/** Lets everything that is ready to run do so. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A peer whose ledger is a list, and which a test lets freeze, fail or grow. */
export class ListPeer implements NamedSource {
  readonly name: string;
  readonly #chain: Link[];
  readonly #waiting = new Set<() => void>();
  /** The numbers from which it was asked. */
  readonly asked: bigint[] = [];
  /** It gives nothing more, and says nothing. */
  isFrozen = false;
  /** What it throws instead of blocks. */
  failure: Error | undefined;
  /** Streams that are open. */
  open = 0;

  constructor(name: string, chain: readonly Link[] = []) {
    this.name = name;
    this.#chain = [...chain];
  }

  /** Commits these blocks behind what it has. */
  push(...links: readonly Link[]): void {
    this.#chain.push(...links);
    this.wake();
  }

  /** Has its streams look again. */
  wake(): void {
    for (const look of this.#waiting) look();
  }

  async *blocks(from: bigint, signal: AbortSignal): AsyncGenerator<RawBlock> {
    this.asked.push(from);
    this.open += 1;
    signal.addEventListener("abort", () => {
      this.wake();
    });
    try {
      for (let next = Number(from); ; next += 1) {
        while (!signal.aborted && !this.#isDue(next)) await this.#woken();
        if (signal.aborted) return;
        if (this.failure !== undefined) throw this.failure;
        yield (this.#chain[next] as Link).raw;
      }
    } finally {
      this.open -= 1;
    }
  }

  #isDue(next: number): boolean {
    return this.failure !== undefined || (!this.isFrozen && next < this.#chain.length);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }
}

/** Time that a test moves on. */
export class HandTime implements Patience {
  readonly stall = 3000;
  readonly return = 30_000;
  readonly pause = 200;
  readonly longestPause = 5000;
  readonly #due = new Set<{ at: number; ring: () => void }>();
  #now = 0;

  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const alarm = { at: this.#now + milliseconds, ring: resolve };
      this.#due.add(alarm);
      signal.addEventListener("abort", () => {
        this.#due.delete(alarm);
        resolve();
      });
    });
  }

  /** Moves on by so many milliseconds, ringing what is due on the way, one after the other. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (;;) {
      const [first] = [...this.#due].sort((a, b) => a.at - b.at);
      if (first === undefined || first.at > end) break;
      this.#now = first.at;
      this.#due.delete(first);
      first.ring();
      await settled();
    }
    this.#now = end;
  }
}
