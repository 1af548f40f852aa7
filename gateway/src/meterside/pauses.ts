import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 200;
const LONGEST_MS = 30_000;

/**
 * Pauses between attempts, real time: they double up to half a minute. A cable that is out stays out for hours, and
 * nothing is gained by asking more often.
 */
export class Pauses {
  #ms = FIRST_MS;

  /** Waits the next pause out, or until the signal is given. */
  async next(signal: AbortSignal): Promise<void> {
    const ms = this.#ms;
    this.#ms = Math.min(LONGEST_MS, 2 * ms);
    // An abort is the end of the waiting, not a failure of it.
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  /** It works again. */
  reset(): void {
    this.#ms = FIRST_MS;
  }
}
