import { Meter, type MeterModules, type MeterOptions } from "@veilgrid/meter-client";
import { window, type Facts, type Period } from "@veilgrid/protocol";
import { Exclusive } from "../exclusive.js";
import type { Clock, Timer } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Store } from "../ports/store.js";
import { BorderCount, type Counted } from "./border-count.js";
import { Borders } from "./borders.js";
import { MeterTime } from "./metertime.js";
import type { OnFault, RegisterDriver, RegisterFault } from "./register.js";

/** How far from a period's border a reading may be and stand for it: DSMR 4 meters send every ten seconds. */
const TOLERANCE_MS = 15_000;

/** What a meter's register needs of the process around it. */
export interface DriverModules {
  readonly time: MeterTime;
  readonly onFault: OnFault;
}

export interface StationOptions extends MeterOptions {
  /** How far from a border a reading may be and stand for it, milliseconds. */
  readonly toleranceMs?: number;
}

/** What a station works with. */
export interface StationModules extends MeterModules {
  readonly clock: Clock;
  /** The meter's own; synced before a write resolves. */
  readonly store: Store;
  readonly log: Log;
  readonly driver: (modules: DriverModules) => RegisterDriver;
}

/** How a meter is, for its operator: no figure of the household. */
export interface StationState {
  /** Whether the register was heard of within this period and the one before. */
  readonly isReading: boolean;
  readonly facts: Facts;
}

/**
 * A meter with its register: reads it, counts periods between borders, and has the meter send them. What a period came to
 * and the register at its end are one write, synced before anything is sent, so that a process that is killed at any
 * moment neither loses a period nor counts it twice.
 */
export class MeterStation {
  readonly meter: Meter;
  readonly #options: StationOptions;
  readonly #modules: StationModules;
  readonly #borders: Borders;
  readonly #time: MeterTime;
  readonly #stopping = new AbortController();
  readonly #turns = new Exclusive();
  readonly #count: BorderCount;
  #timer: Timer | undefined;
  #lastBorder: number | undefined;
  #lastFault: RegisterFault | undefined;
  #periods = 0;

  constructor(options: StationOptions, modules: StationModules) {
    this.#options = options;
    this.#modules = modules;
    this.meter = new Meter(options, modules);
    this.#time = new MeterTime(() => this.meter.now, modules.clock);
    this.#borders = new Borders(modules.store, options.name);
    const { periodSeconds, maxWhPerPeriod } = options.params;
    const count = { periodSeconds, maxWhPerPeriod, toleranceMs: this.#toleranceMs };
    this.#count = new BorderCount(count, this.#borders.last);
    this.#lastBorder = this.#borders.last?.at;
  }

  get #toleranceMs(): number {
    return this.#options.toleranceMs ?? TOLERANCE_MS;
  }

  get #periodMs(): number {
    return this.#options.params.periodSeconds * 1000;
  }

  /** Takes up what is due: keys on disk, and what was counted before and not sent. */
  start(): Promise<void> {
    return this.meter.start();
  }

  /**
   * Reads the register until `stop`.
   * @throws VeilgridError `other-consumption` where the register says something else of a period that was counted.
   */
  async read(): Promise<void> {
    const driver = this.#modules.driver({ time: this.#time, onFault: this.#onFault });
    if (!driver.remembers) this.#watch();
    for await (const reading of driver.readings(this.#borders.last, this.#stopping.signal)) {
      await this.#turns.run(() => this.#take(this.#count.take(reading)));
    }
  }

  /** What is under way is written; nothing more is read or sent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#turns.run(() => Promise.resolve());
    this.meter.stop();
  }

  get state(): StationState {
    const { now } = this.meter;
    const border = this.#lastBorder;
    const isReading = border !== undefined && now - border < 2 * this.#periodMs;
    const fault = this.#lastFault?.code;
    return {
      isReading,
      facts: {
        time: new Date(now).toISOString(),
        params: this.meter.version,
        delivery: this.meter.newestDelivery,
        periods: this.#periods,
        ...(border === undefined ? {} : { border: new Date(border).toISOString() }),
        ...(fault === undefined ? {} : { fault }),
      },
    };
  }

  readonly #onFault = (fault: RegisterFault): void => {
    this.#lastFault = fault;
    this.#modules.log("warn", fault.code, fault.facts);
  };

  /** A border goes by whether or not a register says so. */
  #watch(): void {
    const next = this.#count.next ?? Math.ceil(this.#time.now() / this.#periodMs) * this.#periodMs;
    this.#timer = this.#time.at(next + this.#toleranceMs + 1, "border", async () => {
      await this.#turns.run(() => this.#take(this.#count.pass(this.#time.now())));
      if (!this.#stopping.signal.aborted) this.#watch();
    });
  }

  async #take({ counts, border, faults }: Counted): Promise<void> {
    for (const fault of faults) this.#onFault(fault);
    const changes = counts.flatMap(({ period, wh }) => this.meter.changes(period, wh));
    if (border !== undefined) changes.push(this.#borders.change(border));
    // "The register value of a period, once read, is synced to disk before anything is sent."
    if (changes.length > 0) await this.#modules.store.write(changes);
    this.#lastBorder = border?.at ?? this.#lastBorder;
    this.#periods += counts.length;
    for (const { period } of counts) if (this.#isOpen(period)) await this.#send(period);
  }

  /** A register that remembers tells of periods whose windows are long over: they stay in the meter's own log. */
  #isOpen(period: Period): boolean {
    return window(period, this.#options.params).closes > this.#time.now();
  }

  async #send(period: Period): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await this.meter.send(period);
    this.#modules.log("debug", "period-counted", { month: period.month, k: period.k });
  }
}
