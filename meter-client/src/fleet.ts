import { VeilgridError, type Period } from "@veilgrid/protocol";
import type { Meter } from "./meter.js";
import type { MeterStore } from "./ports.js";

/** Many meters of one process on one store: what they record at a period's end is one write. */
export class Fleet {
  readonly #meters: readonly Meter[];
  readonly #store: MeterStore;
  readonly #isAtOnce: boolean;

  /**
   * @param meters in a fixed order; all keep their state in `store`.
   * @param options.atOnce whether the meters go on side by side, so that a store can write for many of them together; one
   * after the other if not given, which is the same in every run.
   */
  constructor(meters: readonly Meter[], store: MeterStore, options: { readonly atOnce?: boolean } = {}) {
    this.#meters = meters;
    this.#store = store;
    this.#isAtOnce = options.atOnce ?? false;
  }

  get meters(): readonly Meter[] {
    return this.#meters;
  }

  async start(): Promise<void> {
    await this.#each((meter) => meter.start());
  }

  stop(): void {
    for (const meter of this.#meters) meter.stop();
  }

  /**
   * Records one period of all meters: `consumptions` in their order, signed Wh, undefined where a reading is missing.
   * @throws VeilgridError `out-of-range` for another number of values, `other-consumption` as `Meter.record`; then
   * nothing is written or sent.
   */
  async record(period: Period, consumptions: readonly (bigint | undefined)[]): Promise<void> {
    if (consumptions.length !== this.#meters.length) {
      throw new VeilgridError("out-of-range", "one consumption for each meter", {
        facts: { meters: this.#meters.length, consumptions: consumptions.length },
        blame: "caller",
      });
    }
    const changes = this.#meters.flatMap((meter, i) => meter.changes(period, consumptions[i]));
    if (changes.length > 0) await this.#store.write(changes);
    await this.#each((meter) => meter.send(period));
  }

  async #each(step: (meter: Meter) => Promise<void>): Promise<void> {
    if (this.#isAtOnce) await Promise.all(this.#meters.map(step));
    else for (const meter of this.#meters) await step(meter);
  }
}
