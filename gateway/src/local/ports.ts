import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { VeilgridError } from "@veilgrid/protocol";

async function take(host: string, port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

async function release(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
}

/**
 * Ports that nobody listens on now.
 * @param base the first one, the others following it; 0 for any.
 * @throws VeilgridError `port-taken`.
 */
export async function freePorts(host: string, base: number, count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i += 1) {
      const port = base === 0 ? 0 : base + i;
      servers.push(
        await take(host, port).catch((cause: unknown) => {
          throw taken(host, port, cause);
        }),
      );
    }
    return servers.map((server) => (server.address() as { readonly port: number }).port);
  } finally {
    await release(servers);
  }
}

function taken(host: string, port: number, cause: unknown): VeilgridError {
  return new VeilgridError("port-taken", `somebody listens on ${host}:${port} already: choose another --base-port`, {
    facts: { host, port },
    blame: "operator",
    retry: true,
    cause,
  });
}
