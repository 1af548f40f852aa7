import type { Clock, Log } from "@veilgrid/gateway";
import type { Timeline } from "./timeline.js";

/** What a life reports. */
export interface LifeModules {
  readonly timeline: Timeline;
  /** A role threw what nobody caught: in a service its process would be gone. */
  readonly onFailure: (name: string, error: unknown) => void;
  readonly log: (name: string, ...said: Parameters<Log>) => void;
}

/** One run of a role's process, from its start to its death. After that nothing of it is heard, done or said. */
export class Life {
  readonly name: string;
  readonly #modules: LifeModules;
  #isAlive = true;

  constructor(name: string, modules: LifeModules) {
    this.name = name;
    this.#modules = modules;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  end(): void {
    this.#isAlive = false;
  }

  /** Does something of the role's, if it still lives. */
  run(action: () => Promise<void> | void): Promise<void> {
    return this.#isAlive ? this.#guarded(action) : Promise.resolve();
  }

  async #guarded(action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#isAlive) this.#modules.onFailure(this.name, error);
    }
  }

  /** A promise of the world outside: whoever has died never hears what became of it. */
  heard<T>(promise: Promise<T>): Promise<T> {
    return promise.finally(() => (this.#isAlive ? undefined : new Promise(() => undefined)));
  }

  /** The machine's clock, which is off by `offsetMs`. */
  clock(offsetMs: () => number): Clock {
    const { timeline } = this.#modules;
    return {
      now: () => timeline.now() + offsetMs(),
      at: (time, label, action) => timeline.at(time - offsetMs(), `${this.name}: ${label}`, () => this.run(action)),
    };
  }

  get log(): Log {
    return (...said) => {
      if (this.#isAlive) this.#modules.log(this.name, ...said);
    };
  }
}
