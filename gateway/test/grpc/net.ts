import { isVeilgridError, type Facts } from "@veilgrid/protocol";
import { Authority, type Identity } from "../../src/grpc/authority.js";
import type { Endpoint } from "../../src/grpc/endpoint.js";
import type { Limits } from "../../src/grpc/limits.js";
import { MeterTransport } from "../../src/grpc/meter-transport.js";
import type { CallRecord, TransportMetrics } from "../../src/grpc/metrics.js";
import { GrpcServer } from "../../src/grpc/server.js";
import type { Audience } from "../../src/grpc/services.js";
import { GrpcTransport } from "../../src/grpc/transport.js";
import type { Log } from "../../src/ports/log.js";
import type { Address, Handler, Method, Transport } from "../../src/ports/transport.js";

/** A line of a log. */
export interface Line {
  readonly event: string;
  readonly facts: Facts;
}

const HOSTS = ["localhost", "127.0.0.1"];

/** Servers and transports on real sockets of this machine, all closed in the end. */
export class Net {
  readonly lines: Line[] = [];
  readonly calls: CallRecord[] = [];
  readonly dropped: string[] = [];
  readonly #authorities = new Map<Address, Promise<Authority>>();
  readonly #closing: (() => Promise<void> | void)[] = [];

  readonly log: Log = (_level, event, facts = {}) => {
    this.lines.push({ event, facts });
  };
  readonly metrics: TransportMetrics = {
    onCall: (call) => this.calls.push(call),
    onDropped: (why) => this.dropped.push(why),
  };

  /** The certificate authority of a party. */
  authority(address: Address): Promise<Authority> {
    let made = this.#authorities.get(address);
    if (made === undefined) this.#authorities.set(address, (made = Authority.make(address)));
    return made;
  }

  async identity(address: Address, hosts: readonly string[] = []): Promise<Identity> {
    return (await this.authority(address)).issue({ name: address, hosts });
  }

  /** A server of "da/A"; organisations' let "da/B", "cc" and "kgcbp" in. Its port. */
  async serve(audience: Audience, handler: Handler, limits: Partial<Limits> = {}, port = 0): Promise<number> {
    return (await this.server(audience, handler, limits, port)).port;
  }

  async server(audience: Audience, handler: Handler, limits: Partial<Limits> = {}, port = 0): Promise<GrpcServer> {
    const identity = await this.identity("da/A", HOSTS);
    const callers = audience === "organisations" ? ["da/B", "cc", "kgcbp"] : [];
    const clientAuthorities = new Map<Address, string>();
    for (const caller of callers) clientAuthorities.set(caller, (await this.authority(caller)).certificate);
    const tls = audience === "organisations" ? { ...identity, clientAuthorities } : identity;
    const { log, metrics } = this;
    const server = await GrpcServer.listen(
      { host: "127.0.0.1", port, tls, audience, limits },
      { log, metrics, handler },
    );
    this.#closing.push(() => server.close(100));
    return server;
  }

  /** Where addresses are, each by its port on this machine; all are known as "da/A". */
  async endpoints(ports: Readonly<Record<Address, number>>): Promise<ReadonlyMap<Address, Endpoint>> {
    const { certificate } = await this.authority("da/A");
    return new Map(
      Object.entries(ports).map(([address, port]) => [
        address,
        { target: `127.0.0.1:${port}`, authority: certificate },
      ]),
    );
  }

  /** An organisation's transport. @param deadline milliseconds, for all methods. */
  async organisation(
    endpoints: ReadonlyMap<Address, Endpoint>,
    identity: Identity | undefined,
    deadline = 5_000,
  ): Promise<GrpcTransport> {
    const own = identity === undefined ? {} : { identity };
    const deadlines = { forward: deadline, lists: deadline, timeouts: deadline };
    const transport = new GrpcTransport({ endpoints: () => endpoints, deadlines, ...own }, this);
    this.#closing.push(() => {
      transport.close();
    });
    return Promise.resolve(transport);
  }

  meter(ports: Readonly<Record<Address, number>>, proxy?: string): MeterTransport {
    let endpoints: ReadonlyMap<Address, Endpoint> = new Map();
    const through = proxy === undefined ? {} : { proxy };
    const transport = new MeterTransport({ endpoints: () => endpoints, ...through }, this);
    this.#ready = this.endpoints(ports).then((all) => {
      endpoints = all;
    });
    this.#closing.push(() => {
      transport.close();
    });
    return transport;
  }

  #ready: Promise<void> = Promise.resolve();

  /** The response, or the code of what became of the request. */
  async ask(transport: Transport, to: Address, method: Method, request: Uint8Array): Promise<Uint8Array | string> {
    await this.#ready;
    const from = this.lines.length;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const lost = this.lines
          .slice(from)
          .find(({ event, facts }) => event === "request-lost" && facts.method === method);
        if (lost === undefined) return;
        clearInterval(timer);
        resolve(String(lost.facts.code));
      }, 5);
      this.finally(() => {
        clearInterval(timer);
      });
      transport.request(to, method, request, (response) => {
        clearInterval(timer);
        resolve(response);
      });
    });
  }

  /** Calls `close` in the end, the last one first. */
  finally(close: () => Promise<void> | void): void {
    this.#closing.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}

/** The code of a VeilgridError that `action` throws. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return "done";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}
