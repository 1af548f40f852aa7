import { createServer, connect, type Server, type Socket } from "node:net";
import { once } from "node:events";

/** A line to a service whose answers can be swallowed, and which can be cut. */
export class LossyLine {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  isSwallowing = false;

  private constructor(to: number) {
    this.#server = createServer((client) => {
      const service = connect(to, "localhost");
      const pair = [client, service] as const;
      this.#pairs.add(pair);
      client.on("data", (bytes) => service.write(bytes));
      service.on("data", (bytes) => {
        if (!this.isSwallowing) client.write(bytes);
      });
      for (const [one, other] of [pair, [service, client] as const]) {
        one.on("error", () => undefined);
        one.on("close", () => {
          other.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  static async open(to: number): Promise<LossyLine> {
    const line = new LossyLine(to);
    line.#server.listen(0, "localhost");
    await once(line.#server, "listening");
    return line;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    for (const [client, service] of this.#pairs) {
      client.destroy();
      service.destroy();
    }
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
