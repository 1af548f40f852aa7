import type { Identity, PEM } from "../grpc/authority.js";
import type { Endpoint } from "../grpc/endpoint.js";
import { GrpcServer } from "../grpc/server.js";
import type { Audience } from "../grpc/services.js";
import { GrpcTransport } from "../grpc/transport.js";
import type { Log } from "../ports/log.js";
import type { Address, Handler } from "../ports/transport.js";
import type { HostPort } from "../process/shapes.js";
import type { LimitsEntry } from "./configuration.js";
import type { ServiceNumbers } from "./numbers.js";

/** How long calls that are being answered have when a service is stopped, in milliseconds. */
const GRACE_MS = 5_000;

/** A service's way to the other organisations. */
export function openTransport(
  options: { readonly endpoints: ReadonlyMap<Address, Endpoint>; readonly identity: Identity },
  { log, numbers }: { readonly log: Log; readonly numbers: ServiceNumbers },
): GrpcTransport {
  return new GrpcTransport(
    { endpoints: () => options.endpoints, identity: options.identity },
    { log, metrics: numbers.transport },
  );
}

/** Where and for whom a server listens. */
export interface ServerOptions {
  readonly at: HostPort;
  readonly identity: Identity;
  readonly audience: Audience;
  /** Of organisations: by whose authority each is known. */
  readonly authorities?: ReadonlyMap<Address, PEM>;
  readonly limits: LimitsEntry | undefined;
}

/** An open server. */
export interface OpenServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves one audience. @throws VeilgridError `cannot-listen`, `bad-certificate`. */
export async function openServer(
  { at, identity, audience, authorities, limits = {} }: ServerOptions,
  { handler, log, numbers }: { readonly handler: Handler; readonly log: Log; readonly numbers: ServiceNumbers },
): Promise<OpenServer> {
  const known = authorities === undefined ? {} : { clientAuthorities: authorities };
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  const server = await GrpcServer.listen(
    { ...at, tls: { ...identity, ...known }, audience, limits: Object.fromEntries(given) },
    { handler, log, metrics: numbers.transport },
  );
  numbers.gauge(`${audience}_connections`, `Open connections of ${audience}.`, () => server.connections);
  return { port: server.port, close: () => server.close(GRACE_MS) };
}
