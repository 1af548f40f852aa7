import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A line from one port to another that can be cut: then nothing gets through, and nobody is told. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(to: number) {
    this.#server = createServer((client) => {
      const service = connect(to, "127.0.0.1");
      this.#join(client, service);
      this.#join(service, client);
    });
  }

  /** @param to port on 127.0.0.1. */
  static async to(to: number): Promise<Relay> {
    const relay = new Relay(to);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What was under way is lost. */
  mend(): void {
    this.#isCut = false;
    this.#drop();
  }

  close(): void {
    this.#drop();
    this.#server.close();
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => {
      if (!this.#isCut) to.write(bytes);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
