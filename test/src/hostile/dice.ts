import { SeededRandom } from "@veilgrid/gateway";

/** A span of noise that longer ones repeat. */
const NOISE_BYTES = 4_096;

/** Draws one after the other from a printed seed: what failed once fails again. */
export class Dice {
  readonly #random: SeededRandom;
  #drawn = 0;

  constructor(seed: string) {
    this.#random = SeededRandom.of(seed);
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#drawn += 1;
    return this.#random.below(limit, this.#drawn);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  noise(count: number): Buffer {
    this.#drawn += 1;
    const noise = this.#random.bytes(Math.min(count, NOISE_BYTES), this.#drawn);
    return count === 0 ? Buffer.alloc(0) : Buffer.alloc(count, noise);
  }
}
