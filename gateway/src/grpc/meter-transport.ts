import type { SecureContext } from "node:tls";
import type { Client } from "@grpc/grpc-js";
import type { Address, Method, Transport } from "../ports/transport.js";
import { call, conclude, type Asking, type AskingModules, type Outcome } from "./asking.js";
import { DEADLINES } from "./deadlines.js";
import { connect, trusting, type Endpoint } from "./endpoint.js";
import { transportError } from "./errors.js";
import type { PEM } from "./authority.js";
import { SocksForward, parseProxy, type Proxy } from "./socks.js";

/** Whom meters can ask, and on what way. */
export interface MeterTransportOptions {
  /** Asked at each request. */
  readonly endpoints: () => ReadonlyMap<Address, Endpoint>;
  /** Milliseconds; what differs from `DEADLINES`. */
  readonly deadlines?: Partial<Record<Method, number>>;
  /** "socks5h://host:port": all connections go through it. */
  readonly proxy?: string;
}

/**
 * A meter's way to the DAs and KGCBP: TLS without a client certificate, and a connection of its own for every request,
 * without a session that TLS could resume, so that nothing but the source address links a meter's two halves (PROTOCOL
 * section 3). A request is tried once: the meter itself goes on to another DA.
 */
export class MeterTransport implements Transport {
  readonly #options: MeterTransportOptions;
  readonly #modules: AskingModules;
  readonly #proxy: Proxy | undefined;
  readonly #contexts = new Map<PEM, SecureContext>();
  readonly #forwards = new Map<string, Promise<SocksForward>>();
  readonly #clients = new Set<Client>();
  #isClosed = false;

  /** @throws VeilgridError `bad-proxy`. */
  constructor(options: MeterTransportOptions, modules: AskingModules) {
    this.#options = options;
    this.#modules = modules;
    this.#proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
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
    const endpoint = this.#options.endpoints().get(to);
    if (endpoint === undefined) done({ error: transportError("unknown-peer", "no endpoint", asking) });
    else void this.#ask(endpoint, asking, done);
  }

  /** Ends all connections; what is under way is answered to nobody. */
  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients) client.close();
    for (const forward of this.#forwards.values()) {
      void forward.then((one) => {
        one.close();
      });
    }
  }

  async #ask(endpoint: Endpoint, asking: Asking, done: (outcome: Outcome) => void): Promise<void> {
    const deadline = Date.now() + (this.#options.deadlines?.[asking.method] ?? DEADLINES[asking.method]);
    let through: string | undefined;
    try {
      through = await this.#through(endpoint);
    } catch (error) {
      done({ error: transportError("unreachable", String(error), asking) });
      return;
    }
    if (this.#isClosed) return;
    const client = connect(endpoint, this.#context(endpoint), {}, through);
    this.#clients.add(client);
    call(client, asking, deadline, (outcome) => {
      client.close();
      this.#clients.delete(client);
      done(outcome);
    });
  }

  #context({ authority }: Endpoint): SecureContext {
    let context = this.#contexts.get(authority);
    if (context === undefined) this.#contexts.set(authority, (context = trusting(authority)));
    return context;
  }

  async #through({ target }: Endpoint): Promise<string | undefined> {
    if (this.#proxy === undefined) return undefined;
    let forward = this.#forwards.get(target);
    if (forward === undefined) {
      this.#forwards.set(target, (forward = SocksForward.open(this.#proxy, target, this.#modules.log)));
    }
    return (await forward).at;
  }
}
