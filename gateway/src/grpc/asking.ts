import { Metadata, type Client } from "@grpc/grpc-js";
import type { VeilgridError } from "@veilgrid/protocol";
import type { Log } from "../ports/log.js";
import type { Address, Method } from "../ports/transport.js";
import { fromGrpc } from "./errors.js";
import type { TransportMetrics } from "./metrics.js";
import { rpcOf } from "./services.js";

/** A request of this process. */
export interface Asking {
  readonly to: Address;
  readonly method: Method;
  readonly request: Uint8Array;
}

/** What became of it. */
export type Outcome = { readonly response: Uint8Array } | { readonly error: VeilgridError };

/** One call of one client. @param deadline Unix milliseconds. */
export function call(client: Client, asking: Asking, deadline: number, done: (outcome: Outcome) => void): void {
  const { path, requestSerialize, responseDeserialize } = rpcOf(asking.method);
  const options = { deadline };
  const body = { body: asking.request };
  client.makeUnaryRequest(
    path,
    requestSerialize,
    responseDeserialize,
    body,
    new Metadata(),
    options,
    (error, value) => {
      if (error !== null) done({ error: fromGrpc(error, asking) });
      // A copy: the bytes are a part of what the socket read.
      else done({ response: new Uint8Array(value?.body ?? []) });
    },
  );
}

/** What a transport tells of its requests. */
export interface AskingModules {
  readonly log: Log;
  readonly metrics?: TransportMetrics;
  /** Told when a role failed on a response, which it never does for a peer's sake: its store did, or there is a defect. */
  readonly onFailure?: (error: unknown) => void;
}

/** Counts and logs the end of a request, and hands the response to whoever asked, as an action of its own. */
export function conclude(
  asking: Asking,
  outcome: Outcome,
  begun: number,
  modules: AskingModules & { readonly onResponse: ((response: Uint8Array) => Promise<void> | void) | undefined },
): void {
  const { to, method, request } = asking;
  const isAnswered = "response" in outcome;
  modules.metrics?.onCall?.({
    side: "client",
    method,
    peer: to,
    outcome: isAnswered ? "ok" : outcome.error.code,
    milliseconds: performance.now() - begun,
    requestBytes: request.length,
    responseBytes: isAnswered ? outcome.response.length : 0,
  });
  if (!isAnswered) modules.log("warn", "request-lost", { code: outcome.error.code, ...outcome.error.facts });
  else if (modules.onResponse !== undefined) void deliver(asking, outcome.response, modules.onResponse, modules);
}

async function deliver(
  { to, method }: Asking,
  response: Uint8Array,
  onResponse: (response: Uint8Array) => Promise<void> | void,
  { log, onFailure }: AskingModules,
): Promise<void> {
  try {
    await onResponse(response);
  } catch (error) {
    log("error", "response-failed", { to, method, why: String(error) });
    onFailure?.(error);
  }
}
