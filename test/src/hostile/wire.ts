import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Identity } from "@veilgrid/gateway";
import type { Frame } from "./frames.js";

/** How a connection is made: from an address of this machine (127.x.y.z), perhaps with a certificate. */
export interface Line {
  readonly port: number;
  readonly from: string;
  readonly identity?: Identity;
}

/** A call is given up after so long; one whose answers never end, sooner. */
const PATIENCE_MS = 10_000;
const WATCH_MS = 500;
const ENDLESS = /\/(?:Watch|Blocks)$/;

/** The nth address of a network of this machine: 127.`network`.x.y. */
export function address(network: number, n: number): string {
  return `127.${network}.${n >> 8}.${1 + (n & 0xff)}`;
}

/** A TCP connection; what becomes of it shows by its events. */
export function dial({ port, from }: Line): Socket {
  const socket = connectTcp({ port, host: "127.0.0.1", localAddress: from, noDelay: true });
  socket.on("error", () => undefined);
  return socket;
}

/** TLS on a connection, without looking who is there. */
export function secure(socket: Socket, { identity }: Line): TLSSocket {
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
  const secured = connectTls({
    socket,
    servername: "localhost",
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
    ...own,
  });
  secured.on("error", () => undefined);
  return secured;
}

/** Whether an event comes before the connection is closed. */
export async function reached(socket: Socket, event: "connect" | "secureConnect"): Promise<boolean> {
  const ending = new AbortController();
  const { signal } = ending;
  try {
    const closed = once(socket, "close", { signal }).then(() => false);
    return await Promise.race([once(socket, event, { signal }).then(() => true), closed]);
  } catch {
    return false;
  } finally {
    ending.abort();
  }
}

/** An HTTP/2 session; undefined where the server wants none. */
export async function openSession(line: Line): Promise<ClientHttp2Session | undefined> {
  const socket = secure(dial(line), line);
  if (!(await reached(socket, "secureConnect"))) return undefined;
  const session = connectHttp2("https://localhost", { createConnection: () => socket });
  session.on("error", () => undefined);
  return session;
}

/** One call: the status that it ends with, -1 for none. */
export function call(session: ClientHttp2Session, path: string, { bytes, headers }: Frame): Promise<number> {
  return new Promise((resolve) => {
    if (session.destroyed || session.closed) {
      resolve(-1);
      return;
    }
    const post = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ...post, ...headers });
    const timer = setTimeout(
      () => {
        stream.destroy();
      },
      ENDLESS.test(path) ? WATCH_MS : PATIENCE_MS,
    );
    let status = -1;
    const hear = (heard: Readonly<Record<string, unknown>>): void => {
      if (heard["grpc-status"] !== undefined) status = Number(heard["grpc-status"]);
    };
    stream.on("error", () => undefined);
    stream.on("response", hear);
    stream.on("trailers", hear);
    stream.on("close", () => {
      clearTimeout(timer);
      resolve(status);
    });
    stream.resume();
    stream.end(bytes);
  });
}
