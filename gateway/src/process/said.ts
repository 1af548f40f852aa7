/** How much is remembered, and for how long. */
export interface SaidOptions {
  /** Entries; while so many are remembered, nothing else is news. */
  readonly most: number;
  /** Milliseconds after which everything is news again. */
  readonly forMs: number;
}

/** What was logged of late: whoever comes again and again, from wherever, does not fill the log. */
export class Said {
  readonly #options: SaidOptions;
  readonly #said = new Set<string>();
  #since = 0;

  constructor(options: SaidOptions) {
    this.#options = options;
  }

  /** Whether it was not said of late; then it is from now on. @param now milliseconds of a clock that never goes back. */
  isNews(what: string, now: number): boolean {
    if (now - this.#since > this.#options.forMs) {
      this.#said.clear();
      this.#since = now;
    }
    if (this.#said.has(what) || this.#said.size >= this.#options.most) return false;
    this.#said.add(what);
    return true;
  }
}
