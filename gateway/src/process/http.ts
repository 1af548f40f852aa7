import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { VeilgridError, type Facts } from "@veilgrid/protocol";
import type { HostPort } from "./shapes.js";

/** What stands in /health besides its status. */
export interface Health {
  /** Whether the service does its work now. */
  readonly isWell: boolean;
  readonly facts: Facts;
}

/** What an endpoint shows. */
export interface HttpModules {
  /** The page of /metrics, with its media type. */
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> };
  readonly health: () => Health | Promise<Health>;
}

/** Nobody needs more to ask for a page: others would be kept open to tire the process. */
const LIMITS = {
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const MOST_CONNECTIONS = 64;

/** A service's pages for its operator: /metrics in Prometheus' format, /health in JSON (200, or 503 while it is not well). */
export class HttpEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws VeilgridError `cannot-listen`. */
  static async listen({ host, port }: HostPort, modules: HttpModules): Promise<HttpEndpoint> {
    const server = createServer({ ...LIMITS, maxHeaderSize: 8_192 }, (request, response) => {
      void answer(request, response, modules);
    });
    server.maxConnections = MOST_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => {
        reject(
          new VeilgridError("cannot-listen", `cannot listen on ${host}:${port} (${cause.code ?? cause.message})`, {
            facts: { host, port },
            blame: "operator",
            cause,
          }),
        );
      });
      server.listen(port, host, resolve);
    });
    return new HttpEndpoint(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the pages that are being read are; idle connections are closed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await closed;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, modules: HttpModules): Promise<void> {
  try {
    const { status, type, text } = await page(request, modules);
    response.writeHead(status, { "content-type": type, connection: "close" });
    response.end(request.method === "HEAD" ? undefined : text);
  } catch {
    response.writeHead(500, { connection: "close" });
    response.end();
  }
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function page({ method, url }: IncomingMessage, { metrics, health }: HttpModules): Promise<Page> {
  const plain = "text/plain; charset=utf-8";
  if (method !== "GET" && method !== "HEAD") return { status: 405, type: plain, text: "only GET\n" };
  const path = url?.replace(/\?.*$/, "");
  if (path === "/metrics") return { status: 200, type: metrics.contentType, text: await metrics.text() };
  if (path !== "/health") return { status: 404, type: plain, text: "there are /metrics and /health\n" };
  const { isWell, facts } = await health();
  const text = JSON.stringify({ status: isWell ? "ok" : "waiting", ...facts });
  return { status: isWell ? 200 : 503, type: "application/json", text: `${text}\n` };
}
