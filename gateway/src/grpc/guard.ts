import { ServerInterceptingCall, status, type ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Callers } from "./callers.js";
import type { Connection, Connections } from "./connections.js";
import type { Limits } from "./limits.js";
import type { TransportMetrics } from "./metrics.js";
import { methodAt, type Message } from "./services.js";

/** Why a call is not let in. */
interface Refusal {
  readonly code: status;
  readonly details: string;
}

/** What a guard works with. */
export interface GuardModules {
  readonly callers: Callers;
  readonly connections: Connections;
  readonly metrics: TransportMetrics;
}

function isMessage(message: unknown): message is Message {
  return typeof message === "object" && message !== null && "body" in message && message.body instanceof Uint8Array;
}

/** One call from its beginning to its end, with its timer. */
class GuardedCall {
  readonly #call: ServerInterceptingCallInterface;
  readonly #path: string;
  readonly #limits: Limits;
  readonly #modules: GuardModules;
  readonly #begun = performance.now();
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #requestBytes = 0;
  #responseBytes = 0;
  #hasEnded = false;

  constructor(path: string, call: ServerInterceptingCallInterface, limits: Limits, modules: GuardModules) {
    this.#call = call;
    this.#path = path;
    this.#limits = limits;
    this.#modules = modules;
  }

  get intercepting(): ServerInterceptingCall {
    return new ServerInterceptingCall(this.#call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, go) => {
            const refusal = this.#admit();
            if (refusal === undefined) go(metadata);
            else this.#refuse(refusal);
          },
          onReceiveMessage: (message: unknown, go) => {
            if (isMessage(message)) this.#requestBytes = message.body.length;
            this.#limit(this.#limits.callMs - this.#limits.requestMs, "no answer");
            if (!this.#hasEnded) go(message);
          },
          onCancel: () => {
            this.#end("cancelled");
          },
        });
      },
      sendMetadata: (metadata, go) => {
        if (!this.#hasEnded) go(metadata);
      },
      sendMessage: (message: unknown, go) => {
        if (isMessage(message)) this.#responseBytes = message.body.length;
        if (!this.#hasEnded) go(message);
      },
      sendStatus: (ending, go) => {
        if (this.#hasEnded) return;
        this.#end(outcomeOf(ending.code));
        go(ending);
      },
    });
  }

  #admit(): Refusal | undefined {
    const connection = this.#modules.connections.at(this.#call.getPeer());
    if (connection === undefined) return { code: status.UNAVAILABLE, details: "the connection is gone" };
    const { caller } = connection;
    if (caller.calls >= this.#limits.calls)
      return { code: status.RESOURCE_EXHAUSTED, details: "too many calls at once" };
    if (!caller.callRate.take(this.#begun)) return { code: status.RESOURCE_EXHAUSTED, details: "too many calls" };
    this.#connection = connection;
    this.#modules.connections.begun(connection);
    this.#limit(this.#limits.requestMs, "the request came too slowly");
    return undefined;
  }

  #limit(milliseconds: number, details: string): void {
    clearTimeout(this.#timer);
    if (this.#hasEnded) return;
    this.#timer = setTimeout(() => {
      this.#refuse({ code: status.DEADLINE_EXCEEDED, details });
    }, milliseconds);
    this.#timer.unref();
  }

  #refuse({ code, details }: Refusal): void {
    if (this.#hasEnded) return;
    this.#end(outcomeOf(code));
    this.#call.sendStatus({ code, details });
  }

  #end(outcome: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    const now = performance.now();
    if (this.#connection !== undefined) this.#modules.connections.ended(this.#connection, now);
    const method = methodAt(this.#path);
    if (method === undefined) return;
    this.#modules.metrics.onCall?.({
      side: "server",
      method,
      peer: this.#connection?.from,
      outcome,
      milliseconds: now - this.#begun,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
    });
  }
}

/** The name of how a call ended. */
function outcomeOf(code: status): string {
  return code === status.OK ? "ok" : status[code].toLowerCase().replaceAll("_", "-");
}

/** Lets calls in within the limits of their caller, and ends those that take too long. */
export function guard(
  limits: Limits,
  modules: GuardModules,
): (definition: { readonly path: string }, call: ServerInterceptingCallInterface) => ServerInterceptingCall {
  return ({ path }, call) => new GuardedCall(path, call, limits, modules).intercepting;
}
