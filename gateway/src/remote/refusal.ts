import { Metadata, status, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import { isVeilgridError, VeilgridError, type Blame, type Facts } from "@veilgrid/protocol";
import { ERROR_TRAILER } from "./wire.js";

interface Carried {
  readonly code: string;
  readonly message: string;
  readonly facts: Facts;
  readonly blame: Blame;
  readonly retry: boolean;
}

const BLAMES: ReadonlySet<unknown> = new Set<Blame>(["caller", "peer", "operator", "ledger", "nobody"]);

function statusOf({ retry, blame }: VeilgridError): status {
  if (retry) return status.UNAVAILABLE;
  return blame === "caller" ? status.FAILED_PRECONDITION : status.ABORTED;
}

/** An error as a call's status; one without a code says nothing of what is inside. */
export function toStatus(error: unknown): Partial<StatusObject> {
  if (!isVeilgridError(error)) return { code: status.INTERNAL, details: "internal error" };
  const { code, message, facts, blame, retry } = error;
  const metadata = new Metadata();
  metadata.set(ERROR_TRAILER, Buffer.from(JSON.stringify({ code, message, facts, blame, retry } satisfies Carried)));
  return { code: statusOf(error), details: message, metadata };
}

function parse(value: unknown): Carried | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    const carried = JSON.parse(Buffer.from(value).toString("utf8")) as Partial<Carried>;
    const { code, message, facts = {}, blame, retry } = carried;
    if (typeof code !== "string" || typeof message !== "string") return undefined;
    if (!BLAMES.has(blame) || typeof retry !== "boolean") return undefined;
    return { code, message, facts, blame: blame as Blame, retry };
  } catch {
    return undefined;
  }
}

/** How a call to the service failed: `heard` is its own answer, everything else may be otherwise the next time. */
export interface Failure {
  readonly heard: boolean;
  readonly error: VeilgridError;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}

const ACCESS: ReadonlySet<status> = new Set([status.UNAUTHENTICATED, status.PERMISSION_DENIED]);
const TLS = /certificate|SSL routines|wrong version number|altname|packet length too long|EPROTO/i;

function connectionError({ code, details, message }: ServiceError, target: string): VeilgridError {
  const said = details === "" ? message : details;
  const facts = { target, said };
  if (ACCESS.has(code)) {
    return new VeilgridError("access-refused", `the ledger service does not let the caller in: ${said}`, {
      facts,
      blame: "caller",
    });
  }
  if (code === status.UNAVAILABLE && TLS.test(said)) {
    return new VeilgridError("tls-refused", `no TLS with the ledger service: ${said}`, { facts, blame: "operator" });
  }
  return serviceUnavailable(target, said);
}

/** The service gave no answer. */
export function serviceUnavailable(target: string, said: string, more: Facts = {}): VeilgridError {
  return new VeilgridError("ledger-unavailable", `the ledger service gives no answer: ${said}`, {
    facts: { target, said, ...more },
    blame: "operator",
    retry: true,
  });
}

/** Reads what a call to the service threw. */
export function failureOf(error: unknown, target: string): Failure {
  if (isVeilgridError(error)) return { heard: false, error };
  if (!isServiceError(error)) return { heard: false, error: serviceUnavailable(target, String(error)) };
  const carried = parse(error.metadata.get(ERROR_TRAILER)[0]);
  if (carried === undefined) {
    const found = connectionError(error, target);
    return { heard: found.code === "access-refused", error: found };
  }
  const { code, message, ...detail } = carried;
  const said = new VeilgridError(code, message, { ...detail, cause: error });
  return { heard: code !== "ledger-unavailable", error: said };
}

/** Whether the service says that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return isServiceError(error) && error.code === status.NOT_FOUND;
}
