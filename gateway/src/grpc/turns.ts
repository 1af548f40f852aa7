import type { Connection } from "./connections.js";

/** Networks of which it is remembered when they had their last turn. */
const REMEMBERED = 16_384;

/**
 * One connection is begun in each turn of the event loop, so that calls under way go on in between; first the one whose
 * network had its last turn longest ago. So many callers at once hold up each other, and hardly whoever comes now and then.
 */
export class Turns {
  readonly #begin: (connection: Connection) => void;
  /** By network, the one that began to wait first before the others. */
  readonly #waiting = new Map<string, Connection[]>();
  /** The number of a network's last turn, the longest ago first. */
  readonly #last = new Map<string, number>();
  #turn = 0;
  #isDue = false;

  constructor(begin: (connection: Connection) => void) {
    this.#begin = begin;
  }

  /** Begins it when it is its turn, unless it is gone by then. */
  wait(connection: Connection): void {
    const { name } = connection.network;
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) this.#waiting.set(name, [connection]);
    else waiting.push(connection);
    this.#call();
  }

  #call(): void {
    if (this.#isDue || this.#waiting.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const connection = this.#next();
      if (connection !== undefined) this.#begin(connection);
      this.#call();
    });
  }

  #next(): Connection | undefined {
    for (let name = this.#first(); name !== undefined; name = this.#first()) {
      const waiting = this.#waiting.get(name) ?? [];
      const connection = waiting.shift();
      if (waiting.length === 0) this.#waiting.delete(name);
      if (connection === undefined || connection.socket.destroyed) continue;
      this.#note(name);
      return connection;
    }
    return undefined;
  }

  /** The network whose last turn is longest ago. */
  #first(): string | undefined {
    let first: string | undefined;
    let least = Infinity;
    for (const name of this.#waiting.keys()) {
      const last = this.#last.get(name) ?? 0;
      if (last >= least) continue;
      first = name;
      least = last;
    }
    return first;
  }

  #note(name: string): void {
    this.#turn += 1;
    this.#last.delete(name);
    this.#last.set(name, this.#turn);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
  }
}
