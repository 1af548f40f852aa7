import { Server, ServerCredentials, status, type ConnectionInjector, type handleUnaryCall } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Log } from "../ports/log.js";
import type { Address, Handler, Method } from "../ports/transport.js";
import { Authorities } from "./authorities.js";
import { Front } from "./front.js";
import { guard } from "./guard.js";
import { LIMITS, type Limits } from "./limits.js";
import type { TransportMetrics } from "./metrics.js";
import type { Identity, PEM } from "./authority.js";
import { SERVICE_NAME, methodsOf, rpcName, serviceOf, type Audience, type Message } from "./services.js";

/** Bytes that protobuf adds to a body. */
const ENVELOPE_BYTES = 16;
const GRACE_MS = 5_000;

/** A server's certificate, and those of whom it lets in. */
export interface ServerTls extends Identity {
  /**
   * For organisations: the certificate authority of each. Mutual TLS; the caller is the address whose authority signed
   * its certificate. Without them callers are anonymous.
   */
  readonly clientAuthorities?: ReadonlyMap<Address, PEM>;
}

/** Where a server listens and for whom. */
export interface GrpcServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: ServerTls;
  /** Meters ask a DA, devices ask KGCBP, organisations ask a DA. */
  readonly audience: Audience;
  /** What differs from the audience's own limits. */
  readonly limits?: Partial<Limits>;
}

/** What a server works with. */
export interface GrpcServerModules {
  readonly handler: Handler;
  readonly log: Log;
  readonly metrics?: TransportMetrics;
  /** Told when the handler failed, which a role never does for a peer's sake: its store did, or there is a defect. */
  readonly onFailure?: (error: unknown) => void;
}

/** A role's service on the network: gRPC over TLS 1.3 for one audience, with health (grpc.health.v1). */
export class GrpcServer {
  readonly #audience: Audience;
  readonly #modules: GrpcServerModules;
  readonly #front: Front;
  readonly #grpc: Server;
  readonly #health: HealthImplementation;

  private constructor(options: GrpcServerOptions, modules: GrpcServerModules, front: Front, limits: Limits) {
    const { callers, connections } = front;
    this.#audience = options.audience;
    this.#modules = modules;
    this.#front = front;
    this.#grpc = new Server({
      "grpc.max_receive_message_length": limits.requestBytes + ENVELOPE_BYTES,
      "grpc.max_concurrent_streams": limits.streams,
      // Mebibytes that a connection may make HTTP/2 hold.
      "grpc-node.max_session_memory": Math.ceil((2 * limits.streams * limits.requestBytes) / 1_048_576),
      "grpc.enable_channelz": 0,
      interceptors: [guard(limits, { callers, connections, metrics: modules.metrics ?? {} })],
    });
    const answers = methodsOf(options.audience).map((method) => [rpcName(method), this.#answering(method)] as const);
    this.#grpc.addService(serviceOf(options.audience), Object.fromEntries(answers));
    this.#health = new HealthImplementation();
    this.#health.addToServer(this.#grpc);
    this.setServing(true);
  }

  /** @throws VeilgridError `cannot-listen`, `same-authority`, `bad-certificate`. */
  static async listen(options: GrpcServerOptions, modules: GrpcServerModules): Promise<GrpcServer> {
    const limits = { ...LIMITS[options.audience], ...options.limits };
    const { clientAuthorities } = options.tls;
    const authorities = clientAuthorities && new Authorities(clientAuthorities);
    const gate: { injector?: ConnectionInjector } = {};
    const front = await Front.listen(
      { host: options.host, port: options.port, identity: options.tls, authorities, limits },
      {
        log: modules.log,
        metrics: modules.metrics ?? {},
        onConnection: (socket) => {
          gate.injector?.injectConnection(socket);
        },
      },
    );
    const server = new GrpcServer(options, modules, front, limits);
    // TLS is done by then.
    gate.injector = server.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    return server;
  }

  get port(): number {
    return this.#front.port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#front.connections.size;
  }

  /** What health checks are told. */
  setServing(serving: boolean): void {
    const answer = serving ? "SERVING" : "NOT_SERVING";
    this.#health.setStatus("", answer);
    this.#health.setStatus(SERVICE_NAME[this.#audience], answer);
  }

  /** Goes on with another certificate; connections that are open keep theirs. */
  renew(identity: Identity): void {
    this.#front.renew(identity);
  }

  /** Takes nothing new, lets calls end for `graceMs` (5 s if not given), then ends what is left. */
  async close(graceMs = GRACE_MS): Promise<void> {
    this.setServing(false);
    this.#front.stop();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#grpc.forceShutdown();
        this.#front.destroy();
        resolve();
      }, graceMs);
      this.#grpc.tryShutdown(() => {
        clearTimeout(timer);
        this.#front.destroy();
        resolve();
      });
    });
  }

  #answering(method: Method): handleUnaryCall<Message, Message> {
    return (call, callback) => {
      const connection = this.#front.connections.at(call.getPeer());
      // The bytes are a part of what the socket read: roles keep requests, and would keep all of that.
      const request = new Uint8Array(call.request.body);
      const reply = (response: Uint8Array): void => {
        callback(null, { body: response });
      };
      this.#modules.handler(method, request, once(reply), connection?.from).catch((error: unknown) => {
        this.#modules.log("error", "request-failed", { method, why: String(error) });
        callback({ code: status.INTERNAL, details: "failed" });
        this.#modules.onFailure?.(error);
      });
    };
  }
}

/** "only the first answer counts" */
function once(reply: (response: Uint8Array) => void): (response: Uint8Array) => void {
  let isDone = false;
  return (response) => {
    if (isDone) return;
    isDone = true;
    reply(response);
  };
}
