/** Wakes one waiter. */
export class Bell {
  #wake: (() => void) | undefined;

  /** Resolves at the next ring. What it waits for is looked at without a pause in between, so no ring is missed. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  ring(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
