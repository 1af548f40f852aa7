import type { Clock, Timer } from "../ports/clock.js";

/** A meter's own time, which is its oscillator's set by the aggregators' median, with a way to wait for it. */
export class MeterTime {
  readonly #now: () => number;
  readonly #clock: Clock;

  /** @param now the meter's own time, Unix milliseconds; @param clock its oscillator. */
  constructor(now: () => number, clock: Clock) {
    this.#now = now;
    this.#clock = clock;
  }

  now(): number {
    return this.#now();
  }

  /** Runs `action` when the meter believes it is `time`; as its clock is set, that moves. */
  at(time: number, label: string, action: () => Promise<void> | void): Timer {
    return this.#clock.at(this.#clock.now() + Math.max(0, time - this.#now()), label, action);
  }

  /** Waits for a time, or for the signal. */
  async reach(time: number, signal: AbortSignal): Promise<void> {
    while (this.#now() < time && !signal.aborted) await this.#sleep(time, signal);
  }

  #sleep(time: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = this.at(time, "register's next border", wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
