import type { Attack } from "./attack.js";
import { every } from "./pace.js";
import { Papers } from "./papers.js";
import { address, dial, reached, secure } from "./wire.js";

/** Connections that are held at a time, as far as the server lets them be. */
const HELD = 10_000;
const ADDRESSES = 200;
/** New connections a second: those without, and those with TLS. */
const PLAIN_PER_SECOND = 1_000;
const SECURED_PER_SECOND = 100;

/** Connections without a call, of plain TCP and with TLS, opened anew when they are closed. */
export const idle: Attack = ({ folder }, tally) => {
  const port = Papers.of(folder).overview.places.das[0]?.meters ?? 0;
  const sockets = new Set<{ readonly destroy: () => unknown }>();
  const open = async (withTls: boolean): Promise<void> => {
    if (sockets.size >= HELD) return;
    tally.add(withTls ? "TLS connections" : "TCP connections");
    const line = { port, from: address(21, (tally.counts["TCP connections"] ?? 0) % ADDRESSES) };
    const socket = dial(line);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
    tally.most("held at once", sockets.size);
    if (!(await reached(socket, "connect"))) return;
    tally.add("taken");
    if (withTls && (await reached(secure(socket, line), "secureConnect"))) tally.add("handshakes");
  };
  return async (signal) => {
    await Promise.all([
      every(1_000 / PLAIN_PER_SECOND, signal, () => open(false)),
      every(1_000 / SECURED_PER_SECOND, signal, () => open(true)),
    ]);
    for (const socket of sockets) socket.destroy();
  };
};
