import { status, type ServiceError } from "@grpc/grpc-js";
import { VeilgridError, type Blame } from "@veilgrid/protocol";
import type { Address, Method } from "../ports/transport.js";

/**
 * What can become of a request on its way. They are in logs and metrics only: whoever asked hears nothing, and has a timer
 * of its own.
 *
 * | code | what happened |
 * | --- | --- |
 * | `unreachable` | no connection, or it broke |
 * | `untrusted` | the other end is not who it should be, or its certificate has run out |
 * | `deadline` | no answer in time |
 * | `busy` | a limit of the other side on rate or calls |
 * | `too-large` | a limit of either side on the size of a message |
 * | `refused` | the other side does not let this one in, or has no such service |
 * | `failed` | the other side broke while it answered |
 * | `unknown-peer` | nobody said where the address is |
 * | `overloaded` | too many requests wait for this peer |
 * | `closed` | the transport was closed first |
 */
export type TransportCode =
  | "unreachable"
  | "untrusted"
  | "deadline"
  | "busy"
  | "too-large"
  | "refused"
  | "failed"
  | "unknown-peer"
  | "overloaded"
  | "closed";

const BLAME: Readonly<Record<TransportCode, Blame>> = {
  unreachable: "peer",
  untrusted: "peer",
  deadline: "peer",
  busy: "caller",
  "too-large": "caller",
  refused: "operator",
  failed: "peer",
  "unknown-peer": "operator",
  overloaded: "peer",
  closed: "nobody",
};

const RETRIED: readonly TransportCode[] = ["unreachable", "busy"];

/** OpenSSL's and Node's words for a certificate that does not do. */
const UNTRUSTED = /certificate|altname|self[- ]signed|unable to verify|ERR_TLS|CERT_|UNABLE_TO/i;

/** grpc-js's words for a server that ended a call without a status, as one does that is stopped meanwhile. */
const CUT_OFF = /without gRPC status/i;

const TOO_LARGE = /message (?:with a size )?larger than/i;

const CODES: Partial<Record<status, TransportCode>> = {
  [status.CANCELLED]: "closed",
  [status.DEADLINE_EXCEEDED]: "deadline",
  [status.RESOURCE_EXHAUSTED]: "busy",
  [status.UNAUTHENTICATED]: "refused",
  [status.PERMISSION_DENIED]: "refused",
  [status.UNIMPLEMENTED]: "refused",
};

/** An error of this transport. */
export function transportError(
  code: TransportCode,
  why: string,
  { to, method }: { readonly to: Address; readonly method: Method },
): VeilgridError {
  return new VeilgridError(code, `${method} to ${to}: ${why}`, {
    facts: { to, method, why },
    blame: BLAME[code],
    retry: RETRIED.includes(code),
  });
}

/** What gRPC says, as an error of this transport. */
export function fromGrpc(
  { code, details }: Pick<ServiceError, "code" | "details">,
  request: { readonly to: Address; readonly method: Method },
): VeilgridError {
  if (code === status.UNAVAILABLE) {
    return transportError(UNTRUSTED.test(details) ? "untrusted" : "unreachable", details, request);
  }
  if (code === status.INTERNAL && CUT_OFF.test(details)) return transportError("unreachable", details, request);
  if (code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details))
    return transportError("too-large", details, request);
  return transportError(CODES[code] ?? "failed", details, request);
}
