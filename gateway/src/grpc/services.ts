import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Method } from "../ports/transport.js";

/** Whom a server is for: each audience has its own service, port and limits. */
export type Audience = "meters" | "organisations" | "devices";

/** `Request` and `Response` of veilgrid.proto. */
export interface Message {
  readonly body: Uint8Array;
}

/** A method of a service as gRPC has it. */
export type Rpc = MethodDefinition<Message, Message>;

const PROTO = fileURLToPath(new URL("../../../proto/veilgrid.proto", import.meta.url));

/** Which service of veilgrid.proto an audience is served by. */
export const SERVICE_NAME: Readonly<Record<Audience, string>> = {
  meters: "veilgrid.v1.ReadingIntake",
  organisations: "veilgrid.v1.Aggregator",
  devices: "veilgrid.v1.BillProvider",
};

const AUDIENCE_OF: Readonly<Record<Method, Audience>> = {
  reading: "meters",
  time: "meters",
  params: "meters",
  forward: "organisations",
  propose: "organisations",
  bodies: "organisations",
  timeout: "organisations",
  timeouts: "organisations",
  elect: "organisations",
  transaction: "organisations",
  lists: "organisations",
  delivery: "devices",
};

const METHODS = Object.keys(AUDIENCE_OF) as Method[];
const loaded = loadSync(PROTO, { defaults: true });

/** The gRPC service of an audience. */
export function serviceOf(audience: Audience): ServiceDefinition {
  return loaded[SERVICE_NAME[audience]] as unknown as ServiceDefinition;
}

/** The methods that an audience is served. */
export function methodsOf(audience: Audience): readonly Method[] {
  return METHODS.filter((method) => AUDIENCE_OF[method] === audience);
}

/** A method's name in veilgrid.proto. */
export function rpcName(method: Method): string {
  return (method[0] as string).toUpperCase() + method.slice(1);
}

/** How a method is called. */
export function rpcOf(method: Method): Rpc {
  return serviceOf(AUDIENCE_OF[method])[rpcName(method)] as Rpc;
}

/** The method behind a gRPC path; undefined for one of another service. */
export function methodAt(path: string): Method | undefined {
  return METHODS.find((method) => rpcOf(method).path === path);
}
