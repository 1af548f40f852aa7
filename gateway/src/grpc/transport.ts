import type { Client } from "@grpc/grpc-js";
import type { Address, Method, Transport } from "../ports/transport.js";
import { call, conclude, type Asking, type AskingModules, type Outcome } from "./asking.js";
import { DEADLINES } from "./deadlines.js";
import { connect, trusting, type Endpoint } from "./endpoint.js";
import { transportError } from "./errors.js";
import type { Identity } from "./authority.js";

/** Pauses between attempts; they double from one to the other. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
/** What may wait for one peer: a DA that is down is sent a proposal, lists, and a bundle each few tens of milliseconds. */
const WAITING_CALLS = 1_024;
const WAITING_BYTES = 67_108_864;

const OPTIONS = {
  // A peer whose machine is gone is noticed, though nothing ends the connection.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // A peer that was restarted is found again soon: stock, a client may wait two minutes.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
} as const;

/** Whom a transport can ask, and as whom. */
export interface GrpcTransportOptions {
  /** Asked at each request, so that members may come and go. */
  readonly endpoints: () => ReadonlyMap<Address, Endpoint>;
  /** The own certificate for mutual TLS. */
  readonly identity?: Identity;
  /** Milliseconds; what differs from `DEADLINES`. */
  readonly deadlines?: Partial<Record<Method, number>>;
}

/** What becomes of a request in the end. */
interface Waiting {
  readonly asking: Asking;
  /** Unix milliseconds. */
  readonly deadline: number;
  pauseMs: number;
  readonly done: (outcome: Outcome) => void;
}

/** The one connection to another organisation, and what waits for it. */
class Peer {
  readonly endpoint: Endpoint;
  readonly #client: Client;
  readonly #pauses = new Set<NodeJS.Timeout>();
  #calls = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(endpoint: Endpoint, identity: Identity | undefined) {
    this.endpoint = endpoint;
    this.#client = connect(endpoint, trusting(endpoint.authority, identity), OPTIONS);
  }

  ask(asking: Asking, deadline: number, done: (outcome: Outcome) => void): void {
    const { length } = asking.request;
    if (this.#calls >= WAITING_CALLS || this.#bytes + length > WAITING_BYTES) {
      done({ error: transportError("overloaded", "too much waits for it", asking) });
      return;
    }
    this.#calls += 1;
    this.#bytes += length;
    const counted = (outcome: Outcome): void => {
      this.#calls -= 1;
      this.#bytes -= length;
      done(outcome);
    };
    this.#attempt({ asking, deadline, pauseMs: FIRST_PAUSE_MS, done: counted });
  }

  close(): void {
    this.#isClosed = true;
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#client.close();
  }

  /** Every method may be asked twice ("the same again changes nothing"), so what is lost on the way is sent again. */
  #attempt(waiting: Waiting): void {
    const { asking, deadline, pauseMs, done } = waiting;
    call(this.#client, asking, deadline, (outcome) => {
      const isWorthIt = "error" in outcome && outcome.error.retry && Date.now() + pauseMs < deadline;
      const again = isWorthIt && !this.#isClosed;
      if (!again) {
        done(outcome);
        return;
      }
      waiting.pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      const pause = setTimeout(() => {
        this.#pauses.delete(pause);
        this.#attempt(waiting);
      }, pauseMs);
      this.#pauses.add(pause);
    });
  }
}

/**
 * The way to other organisations: gRPC over mutual TLS, one kept connection to each. Nothing is ever thrown into a role;
 * what is lost is logged and counted by its code (see `TransportCode`).
 */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #modules: AskingModules;
  readonly #peers = new Map<Address, Peer>();
  #isClosed = false;

  constructor(options: GrpcTransportOptions, modules: AskingModules) {
    this.#options = options;
    this.#modules = modules;
  }

  request(
    to: Address,
    method: Method,
    request: Uint8Array,
    onResponse?: (response: Uint8Array) => Promise<void> | void,
  ): void {
    if (this.#isClosed) return;
    const begun = performance.now();
    const asking = { to, method, request };
    const done = (outcome: Outcome): void => {
      if (!this.#isClosed) conclude(asking, outcome, begun, { ...this.#modules, onResponse });
    };
    const peer = this.#peer(to);
    if (peer === undefined) done({ error: transportError("unknown-peer", "no endpoint", asking) });
    else peer.ask(asking, Date.now() + (this.#options.deadlines?.[method] ?? DEADLINES[method]), done);
  }

  /** Ends all connections; what is under way is answered to nobody. */
  close(): void {
    this.#isClosed = true;
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
  }

  #peer(to: Address): Peer | undefined {
    const endpoint = this.#options.endpoints().get(to);
    const known = this.#peers.get(to);
    if (known !== undefined && endpoint !== undefined && isSame(known.endpoint, endpoint)) return known;
    known?.close();
    this.#peers.delete(to);
    if (endpoint === undefined) return undefined;
    const peer = new Peer(endpoint, this.#options.identity);
    this.#peers.set(to, peer);
    return peer;
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.target === b.target && a.authority === b.authority && a.serverName === b.serverName;
}
