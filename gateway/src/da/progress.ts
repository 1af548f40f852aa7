import type { Clock, Timer } from "../ports/clock.js";

/**
 * The progress timer (PROTOCOL section 4, Leader election): "a DA's progress timer runs while something due is
 * uncommitted; a commit resets it to its base, a fruitless term doubles it (at most 10 minutes)".
 */
export class ProgressTimer {
  readonly #baseMs: number;
  readonly #mostMs: number;
  readonly #onExpire: () => Promise<void>;
  readonly #clock: Clock;
  #durationMs: number;
  #isBusy = false;
  /** Whether the term brought a commit; before the first term there was nothing to bring. */
  #isFruitful = true;
  #timer: Timer | undefined;

  /** @param options.baseMs milliseconds; @param options.mostMs the longest that doubling makes it. */
  constructor(
    options: { readonly baseMs: number; readonly mostMs: number; readonly onExpire: () => Promise<void> },
    modules: { readonly clock: Clock },
  ) {
    this.#baseMs = options.baseMs;
    this.#mostMs = options.mostMs;
    this.#onExpire = options.onExpire;
    this.#clock = modules.clock;
    this.#durationMs = options.baseMs;
  }

  /** How long it runs at present, milliseconds. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** Whether something is due. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Something is due, or nothing any more. */
  setBusy(busy: boolean): void {
    if (busy === this.#isBusy) return;
    this.#isBusy = busy;
    this.#restart();
  }

  /** A block was committed. */
  committed(): void {
    this.#durationMs = this.#baseMs;
    this.#isFruitful = true;
    this.#restart();
  }

  /** A new term, "where its timer starts anew". */
  entered(): void {
    if (!this.#isFruitful) this.#durationMs = Math.min(2 * this.#durationMs, this.#mostMs);
    this.#isFruitful = false;
    this.#restart();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #restart(): void {
    this.stop();
    if (!this.#isBusy) return;
    this.#timer = this.#clock.at(this.#clock.now() + this.#durationMs, "progress timer", this.#onExpire);
  }
}
