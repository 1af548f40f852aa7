import { periodAt } from "@veilgrid/protocol";
import type { Households } from "./households.js";
import type { MeterTime } from "./metertime.js";
import type { Border, RegisterDriver, RegisterReading } from "./register.js";

/**
 * A register that is computed: one household of a file or of the profile. It remembers what it showed at every border,
 * as meters with a load profile of their own do, so that a process that was away reads on where it stopped.
 */
export class RememberingRegister implements RegisterDriver {
  readonly remembers = true;
  readonly #households: Households;
  readonly #household: number;
  readonly #periodMs: number;
  readonly #time: MeterTime;

  constructor(
    options: { readonly households: Households; readonly household: number; readonly periodSeconds: number },
    modules: { readonly time: MeterTime },
  ) {
    this.#households = options.households;
    this.#household = options.household;
    this.#periodMs = options.periodSeconds * 1000;
    this.#time = modules.time;
  }

  async *readings(since: Border | undefined, signal: AbortSignal): AsyncGenerator<RegisterReading, void> {
    const border = Math.floor(this.#time.now() / this.#periodMs) * this.#periodMs;
    let last: RegisterReading = since ?? { at: border, imported: 0n, exported: 0n };
    if (since === undefined) yield last;
    for (;;) {
      const at = last.at + this.#periodMs;
      await this.#time.reach(at, signal);
      if (signal.aborted) return;
      last = this.#next(last, at);
      yield last;
    }
  }

  #next({ at: from, imported, exported }: RegisterReading, at: number): RegisterReading {
    const wh = this.#households.consumption(this.#household, periodAt(from, this.#periodMs / 1000));
    if (wh === undefined) return { at, imported, exported, unread: true };
    return wh < 0n ? { at, imported, exported: exported - wh } : { at, imported: imported + wh, exported };
  }
}
