import type { Socket } from "node:net";
import type { Address } from "../ports/transport.js";
import type { Caller } from "./callers.js";
import type { Limits } from "./limits.js";

/** One TCP connection to a server. */
export class Connection {
  /** "address:port" of the other end: what gRPC calls the peer. */
  readonly peer: string;
  readonly socket: Socket;
  /** Whose limits count: the network that it comes from and, once it has introduced itself, the organisation. */
  readonly network: Caller;
  caller: Caller;
  /** Who has introduced itself; undefined for anonymous callers. */
  from: Address | undefined;
  /** Until when, Unix milliseconds. */
  until = Infinity;
  /** Whether TLS has begun on it. */
  hasBegun = false;
  calls = 0;
  /** Since when it has been without a call, milliseconds of the server's clock. */
  idleSince: number;

  constructor(peer: string, socket: Socket, network: Caller, now: number) {
    this.peer = peer;
    this.socket = socket;
    this.network = network;
    this.caller = network;
    this.idleSince = now;
  }
}

/**
 * The open connections of a server. Where there are too many, the one that has been without a call for longest makes room:
 * whoever holds connections without using them keeps nobody out.
 */
export class Connections {
  readonly #limits: Limits;
  readonly #open = new Map<string, Connection>();
  /** Those without a call, the longest first. */
  readonly #idle = new Set<Connection>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  at(peer: string): Connection | undefined {
    return this.#open.get(peer);
  }

  all(): Connection[] {
    return [...this.#open.values()];
  }

  /** Whether there is room for one more of a network; for its sake an idle one is closed. */
  makeRoom(network: Caller): boolean {
    const { connections, connectionsPerCaller } = this.#limits;
    if (network.connections >= connectionsPerCaller && !this.#evict((one) => one.network === network)) return false;
    return this.#open.size < connections || this.#evict(() => true);
  }

  #evict(fits: (connection: Connection) => boolean): boolean {
    for (const connection of this.#idle) {
      if (!fits(connection)) continue;
      connection.socket.destroy();
      this.remove(connection);
      return true;
    }
    return false;
  }

  add(connection: Connection): void {
    this.#open.set(connection.peer, connection);
    this.#idle.add(connection);
    connection.network.connections += 1;
  }

  remove(connection: Connection): void {
    if (this.#open.get(connection.peer) !== connection) return;
    this.#open.delete(connection.peer);
    this.#idle.delete(connection);
    connection.network.connections -= 1;
  }

  begun(connection: Connection): void {
    connection.calls += 1;
    connection.caller.calls += 1;
    this.#idle.delete(connection);
  }

  ended(connection: Connection, now: number): void {
    connection.calls -= 1;
    connection.caller.calls -= 1;
    if (connection.calls > 0 || this.#open.get(connection.peer) !== connection) return;
    connection.idleSince = now;
    this.#idle.add(connection);
  }
}
