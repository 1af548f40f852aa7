import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { VeilgridError } from "@veilgrid/protocol";
import { SocksClient } from "socks";
import type { Log } from "../ports/log.js";
import { splitTarget } from "./endpoint.js";

const CONNECT_MS = 20_000;

/** A SOCKS5 proxy, such as Tor's. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
}

/**
 * A proxy from its address, "socks5h://host:port": it resolves the names, for a look-up here would tell where the meter
 * sends.
 * @throws VeilgridError `bad-proxy`.
 */
export function parseProxy(text: string): Proxy {
  const [, host, port] = /^socks5h:\/\/(\[[0-9a-fA-F:]+\]|[^:/@\s]+):(\d{1,5})\/?$/.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new VeilgridError("bad-proxy", `"${text}" is not a proxy's address like socks5h://127.0.0.1:9050`, {
      facts: { proxy: text },
      blame: "operator",
    });
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/**
 * A port of this machine's own that leads to one target through a SOCKS5 proxy, because gRPC cannot speak SOCKS. Each
 * connection shows the proxy a name and password that nobody used before: Tor gives such connections circuits of their
 * own (`IsolateSOCKSAuth`).
 */
export class SocksForward {
  readonly #proxy: Proxy;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #log: Log;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(proxy: Proxy, target: string, log: Log) {
    this.#proxy = proxy;
    this.#target = splitTarget(target);
    this.#log = log;
    this.#server = createServer({ noDelay: true }, (local) => {
      void this.#forward(local);
    });
  }

  static async open(proxy: Proxy, target: string, log: Log): Promise<SocksForward> {
    const forward = new SocksForward(proxy, target, log);
    await new Promise<void>((resolve, reject) => {
      forward.#server.once("error", reject);
      forward.#server.listen(0, "127.0.0.1", resolve);
    });
    forward.#server.unref();
    return forward;
  }

  /** Where it listens: "host:port". */
  get at(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #forward(local: Socket): Promise<void> {
    this.#keep(local);
    let remote: Socket;
    try {
      ({ socket: remote } = await SocksClient.createConnection({
        command: "connect",
        destination: this.#target,
        proxy: {
          ipaddress: this.#proxy.host,
          port: this.#proxy.port,
          type: 5,
          userId: randomBytes(12).toString("hex"),
          password: randomBytes(12).toString("hex"),
        },
        timeout: CONNECT_MS,
      }));
    } catch (error) {
      this.#log("warn", "proxy-failed", { why: error instanceof Error ? error.message : String(error) });
      local.destroy();
      return;
    }
    this.#keep(remote);
    remote.setNoDelay(true);
    local.on("close", () => remote.destroy());
    remote.on("close", () => local.destroy());
    if (local.destroyed) remote.destroy();
    local.pipe(remote).pipe(local);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
