/** What age calls of the platform's cryptography, which works beside the event loop. */
const COUNTED = ["importKey", "deriveBits", "exportKey", "generateKey"] as const;

type Counted = (...args: unknown[]) => Promise<unknown>;

/**
 * Counts what really happens outside the virtual world (the embedded ledger's disk, the platform's cryptography), because
 * virtual time must stand still until that is over: else the order of things would be the machine's and not the seed's.
 */
export class RealWork {
  #open = 0;

  /** Counts a piece of work until it is done. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#open += 1;
    return work.finally(() => {
      this.#open -= 1;
    });
  }

  /** Resolves when all promises that can go on have done so, and no work is open. */
  async rest(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#open > 0);
  }

  /** Counts the platform's cryptography too, while `task` runs. */
  async withCryptography<T>(task: () => Promise<T>): Promise<T> {
    const { subtle } = crypto;
    for (const name of COUNTED) {
      const platform = (subtle[name] as Counted).bind(subtle);
      const counted: Counted = (...args) => this.track(platform(...args));
      // An own property hides the prototype's method; deleting it brings that back.
      Object.defineProperty(subtle, name, { value: counted, configurable: true });
    }
    try {
      return await task();
    } finally {
      for (const name of COUNTED) Reflect.deleteProperty(subtle, name);
    }
  }
}
