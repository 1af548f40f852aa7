import { VeilgridError } from "@veilgrid/protocol";
import { connect, createServer } from "node:net";
import { peerOrganisations } from "./consortium.js";

/** Everything listens here. */
export const HOST = "127.0.0.1";
/** The lowest port unless it is chosen: below those that Linux hands out to clients. */
export const BASE_PORT = 17_050;

/** Ports an organisation may use; KGCBP, which has no orderer, leaves three free. */
const EACH = 10;

/** The ports of one organisation. */
export interface Ports {
  readonly orderer: number;
  readonly ordererAdmin: number;
  readonly ordererOperations: number;
  readonly peer: number;
  readonly peerChaincode: number;
  readonly peerOperations: number;
  /** Of the chaincode's services: an upgrade's listens before the one that it follows stops. */
  readonly services: readonly [number, number];
}

/** A port and the process that it is for. */
export interface Listener {
  readonly port: number;
  readonly process: string;
}

/** The ports of the organisation at a position among those with a peer. */
export function portsAt(base: number, position: number): Ports {
  const first = base + EACH * position;
  return {
    orderer: first,
    ordererAdmin: first + 1,
    ordererOperations: first + 2,
    peer: first + 3,
    peerChaincode: first + 4,
    peerOperations: first + 5,
    services: [first + 6, first + 7],
  };
}

/** The ports of the organisations with a peer, by name. */
export function portPlan(size: number, base: number): ReadonlyMap<string, Ports> {
  return new Map(peerOrganisations(size).map(({ name }, position) => [name, portsAt(base, position)]));
}

/** Whether nothing listens on a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const outcome = new Promise<boolean>((resolve) => {
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ port, host: HOST, exclusive: true }, () => {
      resolve(true);
    });
  });
  const free = await outcome;
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Whether something takes connections on a port; unlike asking whether it is free, this keeps nobody from taking it. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: HOST });
  const connected = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => {
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
  socket.destroy();
  return connected;
}

/** @throws VeilgridError `port-in-use` that names every port that is taken and what it was for. */
export async function requireFree(listeners: readonly Listener[]): Promise<void> {
  const free = await Promise.all(listeners.map(({ port }) => isFree(port)));
  const taken = listeners.filter((_, i) => free[i] !== true);
  if (taken.length === 0) return;
  const list = taken.map(({ port, process }) => `${port} (${process})`).join(", ");
  throw new VeilgridError("port-in-use", `ports are in use by something else: ${list}; --base-port chooses others`, {
    facts: { ports: taken.map(({ port }) => port).join(",") },
    blame: "operator",
    retry: true,
  });
}
