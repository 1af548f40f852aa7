/** "moves at most 1 s a period" (PROTOCOL section 3): what one period's step may be, milliseconds. */
export const MAX_STEP_MS = 1_000;

/** The middle one; of an even number the lower of the two. */
export function median(values: readonly number[]): number | undefined {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.floor((ascending.length - 1) / 2)];
}

/**
 * How far the meter's clock is set off from its oscillator. It follows the median of what at least `quorum` DAs said:
 * with quorum 2f+1 the median lies between two honest clocks, whatever f others say, and a step a period keeps even
 * those from throwing a meter out of its window at once.
 */
export class ClockOffset {
  readonly #quorum: () => number;
  #offset = 0;
  #target = 0;

  /** @param quorum how many answers count at least, at present: their number changes with the DAs'. */
  constructor(quorum: () => number) {
    this.#quorum = quorum;
  }

  /** Milliseconds to add to the oscillator's time. */
  get ms(): number {
    return this.#offset;
  }

  /** Takes in one round of answers, as differences to the oscillator; too few change nothing. */
  follow(differences: readonly number[]): void {
    if (differences.length < this.#quorum()) return;
    this.#target = median(differences) ?? this.#target;
  }

  /** Once a period: moves towards the target. */
  step(): void {
    const distance = Math.round(this.#target - this.#offset);
    this.#offset += Math.max(-MAX_STEP_MS, Math.min(MAX_STEP_MS, distance));
  }
}
