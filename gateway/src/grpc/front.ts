import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import type { Authorities } from "./authorities.js";
import { Callers, networkOf } from "./callers.js";
import { Connection, Connections } from "./connections.js";
import type { Limits } from "./limits.js";
import type { TransportMetrics } from "./metrics.js";
import type { Identity } from "./authority.js";
import { Said } from "../process/said.js";
import { Turns } from "./turns.js";

const SWEEP_MS = 1_000;
const BACKLOG = 1_024;
/** A refusal is logged once a minute for each code and network, and so many in all. */
const SAID = { most: 1_024, forMs: 60_000 } as const;

/** Where a server listens and as whom. */
export interface FrontOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly identity: Identity;
  /** Whose certificates are asked for; without them callers are anonymous. */
  readonly authorities: Authorities | undefined;
  readonly limits: Limits;
}

/** What a front works with. */
export interface FrontModules {
  /** Takes a connection whose handshake is done and whose caller, if it must, has introduced itself. */
  readonly onConnection: (socket: TLSSocket) => void;
  readonly log: Log;
  readonly metrics: TransportMetrics;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ""}:${remotePort ?? 0}`;
}

/**
 * What stands before a server's gRPC: takes TCP connections within the limits, does TLS 1.3, finds out who calls, and ends
 * connections that are idle, that send too much, or whose certificate has run out.
 */
export class Front {
  readonly callers: Callers;
  readonly connections: Connections;
  readonly #limits: Limits;
  readonly #authorities: Authorities | undefined;
  readonly #modules: FrontModules;
  readonly #tcp: TcpServer;
  readonly #tls: TlsServer;
  readonly #turns: Turns;
  readonly #sweeping: NodeJS.Timeout;
  readonly #said = new Said(SAID);
  #port = 0;

  private constructor({ identity, authorities, limits }: FrontOptions, modules: FrontModules) {
    this.#limits = limits;
    this.#authorities = authorities;
    this.#modules = modules;
    this.callers = new Callers(limits);
    this.connections = new Connections(limits);
    this.#turns = new Turns((connection) => {
      connection.hasBegun = true;
      this.#tls.emit("connection", connection.socket);
    });
    this.#tls = createTlsServer({
      cert: identity.certificate,
      key: identity.key,
      minVersion: "TLSv1.3",
      ALPNProtocols: ["h2"],
      handshakeTimeout: limits.handshakeMs,
      requestCert: authorities !== undefined,
      ...(authorities === undefined ? {} : { ca: authorities.certificates }),
      // Who is not let in is told apart, and logged, by `Authorities`.
      rejectUnauthorized: false,
    });
    // Nobody resumes a session: a ticket would link connections.
    this.#tls.on("newSession", (_id, _data, done: () => void) => {
      done();
    });
    this.#tls.on("secureConnection", (socket) => {
      this.#secured(socket);
    });
    this.#tls.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      this.#dropped("handshake", socket, { why: error.code ?? error.name });
    });
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    this.#sweeping = setInterval(() => {
      this.#sweep();
    }, SWEEP_MS);
    this.#sweeping.unref();
  }

  /** @throws VeilgridError `cannot-listen`. */
  static async listen(options: FrontOptions, modules: FrontModules): Promise<Front> {
    const front = new Front(options, modules);
    const { host, port } = options;
    try {
      await new Promise<void>((resolve, reject) => {
        front.#tcp.once("error", reject);
        front.#tcp.listen({ host, port, backlog: BACKLOG }, resolve);
      });
    } catch (cause) {
      clearInterval(front.#sweeping);
      throw new VeilgridError("cannot-listen", `nothing can listen at ${host}:${port}: ${String(cause)}`, {
        facts: { host, port },
        blame: "operator",
        cause,
      });
    }
    front.#port = (front.#tcp.address() as AddressInfo).port;
    front.#tcp.on("error", (error) => {
      modules.log("error", "listener-failed", { why: error.message });
    });
    return front;
  }

  get port(): number {
    return this.#port;
  }

  /** Goes on with another certificate; connections that are open keep theirs. */
  renew({ certificate, key }: Identity): void {
    const ca = this.#authorities === undefined ? {} : { ca: this.#authorities.certificates };
    this.#tls.setSecureContext({ cert: certificate, key, minVersion: "TLSv1.3", ...ca });
  }

  /** Takes no more connections; those that are open stay. */
  stop(): void {
    this.#tcp.close();
  }

  /** Ends what is left. */
  destroy(): void {
    clearInterval(this.#sweeping);
    for (const { socket } of this.connections.all()) socket.destroy();
  }

  #accept(socket: Socket): void {
    socket.on("error", () => {
      // Its close follows.
    });
    const now = performance.now();
    const network = this.callers.get(networkOf(socket.remoteAddress ?? ""), now);
    if (!network.connectionRate.take(now) || !this.connections.makeRoom(network)) {
      this.#modules.metrics.onDropped?.("too-many-connections");
      socket.destroy();
      return;
    }
    const connection = new Connection(peerOf(socket), socket, network, now);
    this.connections.add(connection);
    socket.on("close", () => {
      this.connections.remove(connection);
    });
    // Whoever says nothing costs a socket, and neither the time nor the memory of a TLS session.
    socket.once("readable", () => {
      this.#turns.wait(connection);
    });
  }

  #secured(socket: TLSSocket): void {
    socket.on("error", () => {
      // Its close follows.
    });
    const connection = this.connections.at(peerOf(socket));
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    try {
      this.#introduce(connection, socket);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      this.#dropped(error.code, socket, error.facts);
      return;
    }
    this.#modules.onConnection(socket);
  }

  #introduce(connection: Connection, socket: TLSSocket): void {
    if (socket.alpnProtocol !== "h2") {
      throw new VeilgridError("no-http2", "the caller does not speak HTTP/2", { blame: "peer" });
    }
    if (this.#authorities === undefined) return;
    const { address, until } = this.#authorities.introduced(socket);
    connection.from = address;
    connection.until = until;
    connection.caller = this.callers.get(address, performance.now());
  }

  #dropped(why: string, socket: Socket, facts: Readonly<Record<string, string | number | boolean>> = {}): void {
    this.#modules.metrics.onDropped?.(why);
    const from = networkOf(socket.remoteAddress ?? "");
    socket.destroy();
    if (!this.#said.isNews(`${why} ${from} ${String(facts.why)}`, performance.now())) return;
    const level = this.#authorities === undefined ? "debug" : "warn";
    this.#modules.log(level, "connection-refused", { ...facts, code: why, from });
  }

  #sweep(): void {
    const now = performance.now();
    const wall = Date.now();
    for (const connection of this.connections.all()) {
      const why = this.#ending(connection, now, wall);
      if (why === undefined) continue;
      this.#modules.metrics.onDropped?.(why);
      connection.socket.destroy();
    }
    this.callers.sweep(now);
  }

  #ending(connection: Connection, now: number, wall: number): string | undefined {
    if (connection.socket.bytesRead > this.#limits.connectionBytes) return "too-many-bytes";
    if (wall > connection.until) return "expired-certificate";
    if (!connection.hasBegun && now - connection.idleSince > this.#limits.handshakeMs) return "handshake";
    if (connection.calls === 0 && now - connection.idleSince > this.#limits.idleMs) return "idle";
    return undefined;
  }
}
