import { VeilgridError } from "@veilgrid/protocol";
import { connect, createServer } from "node:net";
import { isAggregator, type Organisation } from "./consortium.js";

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

/**
 * The ports of an organisation with a peer: KGCBP's come after those of the aggregators with which the network began, and
 * before those of the aggregators that joined later.
 * @param size the number of aggregators with which it began.
 */
export function portsOf(base: number, size: number, organisation: Organisation): Ports {
  const first = base + EACH * positionOf(size, organisation);
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

function positionOf(size: number, organisation: Organisation): number {
  if (!isAggregator(organisation)) return size;
  return organisation.number < size ? organisation.number : organisation.number + 1;
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
