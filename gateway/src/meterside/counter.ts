import { isVeilgridError } from "@veilgrid/protocol";
import type { Meter } from "@veilgrid/meter-client";
import type { Clock, Timer } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Transport } from "../ports/transport.js";
import { encodeDeliveryWish } from "../transport/delivery-wish.js";

/** How often KGCBP is asked, and before the first delivery, without which the meter says nothing. */
const PAUSE_MS = 1_800_000;
const FIRST_PAUSE_MS = 60_000;

/** What asking for deliveries works with. */
export interface CounterModules {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly random: Random;
  readonly meter: Meter;
  readonly log: Log;
}

/**
 * KGCBP's counter, as one meter goes there: it asks whether there is a newer delivery of keys, at random times, and takes
 * what it gets.
 */
export class Counter {
  readonly #device: string;
  readonly #modules: CounterModules;
  #timer: Timer | undefined;
  #asked = 0;
  #stopped = false;

  /** @param device its age recipient. */
  constructor(device: string, modules: CounterModules) {
    this.#device = device;
    this.#modules = modules;
  }

  start(): void {
    this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #ask(): void {
    if (this.#stopped) return;
    const { clock, transport, random, meter } = this.#modules;
    const newest = meter.newestDelivery;
    this.#asked += 1;
    const pause = newest === 0 ? FIRST_PAUSE_MS : PAUSE_MS;
    // Not all meters at once.
    const jitter = random.below(pause, "delivery", newest, this.#asked);
    this.#timer = clock.at(clock.now() + pause / 2 + jitter, "ask for a delivery", () => {
      this.#ask();
    });
    const wish = encodeDeliveryWish({ device: this.#device, serial: newest });
    transport.request("kgcbp", "delivery", wish, (response) => this.#take(response));
  }

  async #take(response: Uint8Array): Promise<void> {
    const { meter, log } = this.#modules;
    if (this.#stopped || response.length === 0) return;
    try {
      await meter.accept(response);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      // A delivery of a version that the meter does not know yet is taken later.
      log("warn", "delivery-refused", { code: error.code });
    }
  }
}
