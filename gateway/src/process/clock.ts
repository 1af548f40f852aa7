import type { Clock, Timer } from "../ports/clock.js";

/** Timers are looked at again at least this often, so that a clock that was set is noticed. */
const LONGEST_SLEEP_MS = 60_000;

/** Who hears of an action that threw: its label and what it threw. */
export type OnFailure = (label: string, error: unknown) => void;

interface Waiting {
  readonly time: number;
  readonly label: string;
  readonly action: () => Promise<void> | void;
  timeout: NodeJS.Timeout | undefined;
}

/** The machine's clock, in Unix milliseconds, and its timers. */
export class SystemClock implements Clock {
  readonly #onFailure: OnFailure;
  readonly #waiting = new Set<Waiting>();
  readonly #running = new Set<Promise<void>>();

  constructor(modules: { readonly onFailure: OnFailure }) {
    this.#onFailure = modules.onFailure;
  }

  now(): number {
    return Date.now();
  }

  /** Milliseconds of the machine until a time of this clock; negative where it is past. */
  protected untilReal(time: number): number {
    return time - this.now();
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  at(time: number, label: string, action: () => Promise<void> | void): Timer {
    const entry: Waiting = { time, label, action, timeout: undefined };
    this.#waiting.add(entry);
    this.#arm(entry);
    return {
      cancel: () => {
        this.#drop(entry);
      },
    };
  }

  /** Cancels every timer, and resolves when the actions that had begun have ended. */
  async stop(): Promise<void> {
    for (const entry of [...this.#waiting]) this.#drop(entry);
    await Promise.all(this.#running);
  }

  #drop(entry: Waiting): void {
    clearTimeout(entry.timeout);
    this.#waiting.delete(entry);
  }

  #arm(entry: Waiting): void {
    const sleep = Math.min(Math.max(0, Math.ceil(this.untilReal(entry.time))), LONGEST_SLEEP_MS);
    entry.timeout = setTimeout(() => {
      if (this.untilReal(entry.time) > 0) this.#arm(entry);
      else this.#run(entry);
    }, sleep);
  }

  #run(entry: Waiting): void {
    this.#waiting.delete(entry);
    const run = this.#attempt(entry).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #attempt({ label, action }: Waiting): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#onFailure(label, error);
    }
  }
}

/** A time-lapse: at `origin` of the machine's clock it is `start`, and from then on time goes `factor` times as fast. */
export interface TimeScale {
  /** Unix milliseconds of the machine. */
  readonly origin: number;
  /** Unix milliseconds of the time-lapse. */
  readonly start: number;
  readonly factor: number;
}

/** A clock that all processes of a time-lapse share by sharing its scale. */
export class ScaledClock extends SystemClock {
  readonly #scale: TimeScale;

  constructor(scale: TimeScale, modules: { readonly onFailure: OnFailure }) {
    super(modules);
    this.#scale = scale;
  }

  override now(): number {
    const { origin, start, factor } = this.#scale;
    return Math.floor(start + (Date.now() - origin) * factor);
  }

  protected override untilReal(time: number): number {
    const { origin, start, factor } = this.#scale;
    return origin + (time - start) / factor - Date.now();
  }
}

/** The clock that a configuration's `clock` names: the machine's without one. */
export function clockOf(scale: TimeScale | undefined, modules: { readonly onFailure: OnFailure }): SystemClock {
  return scale === undefined ? new SystemClock(modules) : new ScaledClock(scale, modules);
}
