import { VeilgridError, type Period } from "@veilgrid/protocol";
import type { Meter } from "./meter.js";
import type { MeterStore } from "./ports.js";

/** Many meters of one process on one store: what they record at a period's end is one write. */
export class Fleet {
  readonly #meters: readonly Meter[];
  readonly #store: MeterStore;

  /** @param meters in a fixed order; all keep their state in `store`. */
  constructor(meters: readonly Meter[], store: MeterStore) {
    this.#meters = meters;
    this.#store = store;
  }

  get meters(): readonly Meter[] {
    return this.#meters;
  }

  async start(): Promise<void> {
    for (const meter of this.#meters) await meter.start();
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
    for (const meter of this.#meters) await meter.send(period);
  }
}
