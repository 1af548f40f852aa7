import type { Waiting } from "./waiting.js";

/**
 * Milliseconds for which a gateway that failed is asked last. Fabric's gateways have no memory: without this each
 * transaction would wait anew for a frozen peer. One that is back is found after this long, at the cost of one deadline
 * if it is not.
 */
const REST = 60_000;

/** Which gateways failed lately. */
export class Standing {
  readonly #waiting: Pick<Waiting, "now">;
  readonly #until = new Map<string, number>();

  constructor(waiting: Pick<Waiting, "now">) {
    this.#waiting = waiting;
  }

  failed(msp: string): void {
    this.#until.set(msp, this.#waiting.now() + REST);
  }

  worked(msp: string): void {
    this.#until.delete(msp);
  }

  /** Whether it failed lately. */
  isAway(msp: string): boolean {
    return (this.#until.get(msp) ?? 0) > this.#waiting.now();
  }

  /** Those that did not fail lately, in the given order, then the others, whose rest ends soonest first. */
  ordered<T extends { readonly msp: string }>(gateways: readonly T[]): readonly T[] {
    const now = this.#waiting.now();
    const rest = ({ msp }: T): number => Math.max(0, (this.#until.get(msp) ?? 0) - now);
    return [...gateways].sort((a, b) => rest(a) - rest(b));
  }
}
