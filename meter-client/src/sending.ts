import { maxFaulty, window, type Params, type Period, type VerifiedSignatures } from "@veilgrid/protocol";
import { Delivery } from "./delivery.js";
import { daOrder, sendDelay } from "./drawing.js";
import { HALVES, type Half, type Place, type SignedHalves } from "./halves.js";
import type { Outbox } from "./outbox.js";
import type { MeterChange, MeterLog, MeterRandom, MeterTimer, MeterTransport } from "./ports.js";
import type { Timekeeping } from "./timekeeping.js";
import type { Versions } from "./versions.js";

/** What a period's sending is about. */
export interface SendingOptions {
  /** The meter's name. */
  readonly name: string;
  readonly place: Place;
  readonly params: Params;
  readonly period: Period;
  /** How long a DA may take to answer, milliseconds. */
  readonly patienceMs: number;
}

/** What a period's sending works with and whom it tells. */
export interface SendingModules {
  readonly time: Timekeeping;
  readonly transport: MeterTransport;
  readonly random: MeterRandom;
  readonly outbox: Outbox;
  readonly memory: VerifiedSignatures | undefined;
  readonly versions: Versions;
  readonly log: MeterLog;
  readonly makeReadings: () => SignedHalves;
  /** Both halves are done, or the window is over. */
  readonly onEnd: () => Promise<void> | void;
}

/** Time at the window's end that no first attempt is drawn in: enough to try f+1 DAs and one more, half of it at most. */
function reserveMs({ params: { submissionWindow, da }, patienceMs }: SendingOptions): number {
  return Math.min(submissionWindow * 500, (maxFaulty(da.length) + 2) * patienceMs);
}

/** Both halves of one period, from the window's opening until both have receipts or it closes. */
export class Sending {
  readonly #options: SendingOptions;
  readonly #modules: SendingModules;
  readonly #deliveries: readonly [Delivery, Delivery];
  readonly #receipts: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  readonly #opens: number;
  readonly #closes: number;
  #readings: SignedHalves | undefined;
  #timer: MeterTimer | undefined;
  #ended = false;

  constructor(options: SendingOptions, modules: SendingModules) {
    this.#options = options;
    this.#modules = modules;
    ({ opens: this.#opens, closes: this.#closes } = window(options.period, options.params));
    this.#deliveries = [this.#delivery(0), this.#delivery(1)];
  }

  /** Draws the times and begins; halves whose receipts are on disk are not sent again. */
  start(): Promise<void> | void {
    const { time } = this.#modules;
    const { period } = this.#options;
    if (time.now() >= this.#closes) return this.#end();
    const missing = HALVES.filter((half) => this.#modules.outbox.proof(period, half) === undefined);
    for (const half of HALVES) if (!missing.includes(half)) this.#deliveries[half].stop();
    if (missing.length === 0) return this.#end();
    const from = Math.max(this.#opens, Math.ceil(time.now()));
    const span = this.#closes - reserveMs(this.#options) - from;
    for (const half of missing) this.#deliveries[half].startAt(from + sendDelay(this.#draws, period, half, from, span));
    this.#timer = time.at(this.#closes, "window over", () => this.#end());
    return undefined;
  }

  stop(): void {
    this.#timer?.cancel();
    for (const delivery of this.#deliveries) delivery.stop();
  }

  get #draws(): { random: MeterRandom; name: string } {
    return { random: this.#modules.random, name: this.#options.name };
  }

  #delivery(half: Half): Delivery {
    const { place, params, period, patienceMs } = this.#options;
    const { time, transport, memory, versions } = this.#modules;
    return new Delivery(
      { half, consortium: place.consortium, period, params, closes: this.#closes, patienceMs },
      {
        time,
        transport,
        memory,
        versions,
        reading: () => this.#signed[half],
        order: (round) => daOrder(this.#draws, period, half, round, params.da.length),
        shunned: (da) => this.#deliveries[half === 0 ? 1 : 0].wasShown(da),
        onDone: (receipt) => this.#done(half, receipt),
      },
    );
  }

  /** Made when the first half leaves and not at the period's end, when all meters would be at it at once. */
  get #signed(): SignedHalves {
    this.#readings ??= this.#modules.makeReadings();
    return this.#readings;
  }

  async #done(half: Half, receipt: Uint8Array | undefined): Promise<void> {
    this.#receipts[half] = receipt;
    if (this.#deliveries.every(({ done }) => done)) await this.#end();
  }

  /** One write for both receipts: who crashes before it sends the same bytes again, and gets the same receipts. */
  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.stop();
    const { outbox, onEnd } = this.#modules;
    await outbox.write(this.#results());
    await onEnd();
  }

  #results(): MeterChange[] {
    const { outbox, log } = this.#modules;
    const { period } = this.#options;
    const changes: MeterChange[] = [];
    for (const half of HALVES) {
      const receipt = this.#receipts[half];
      if (receipt !== undefined) {
        changes.push(outbox.proofChange(period, half, { reading: this.#signed[half], receipt }));
      } else if (outbox.proof(period, half) === undefined) {
        const { refusals } = this.#deliveries[half];
        for (const refusal of refusals) changes.push(outbox.refusalChange(period, refusal));
        log("warn", "half-without-receipt", { month: period.month, k: period.k, refusals: refusals.length });
      }
    }
    return changes;
  }
}
