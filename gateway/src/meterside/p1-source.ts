import { execFile } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { connect, Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";
import { VeilgridError } from "@veilgrid/protocol";

/** Where telegrams come from. */
export type SourceAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A character device or a FIFO. */
  | { readonly kind: "serial"; readonly path: string; readonly baud: number };

/**
 * What a source sends, as it comes, until the other side ends it.
 * @throws the system's errors; VeilgridError `source-quiet` after `quietMs` without a byte. The signal ends it with an
 * AbortError.
 */
export async function* openSource(
  source: SourceAddress,
  quietMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const socket = source.kind === "tcp" ? connect(source.port, source.host) : await openDevice(source);
  const abort = (): void => {
    socket.destroy(new DOMException("the meter stops", "AbortError"));
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  socket.setTimeout(quietMs, () => {
    socket.destroy(new VeilgridError("source-quiet", "it says nothing", { blame: "operator", retry: true }));
  });
  try {
    yield* socket as AsyncIterable<Uint8Array>;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  }
}

/**
 * Without blocking a thread, which a read of a quiet device would keep for ever. A FIFO that this process may write to
 * as well does not end when another writer does.
 */
async function openDevice({ path, baud }: Extract<SourceAddress, { kind: "serial" }>): Promise<Socket> {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (isatty(fd)) {
      await setLine(path, baud);
      return new ReadStream(fd);
    }
    if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  throw new VeilgridError("no-device-file", `${path} is neither a serial device nor a FIFO`, {
    facts: { path },
    blame: "operator",
  });
}

/** 115,200 baud 8N1 is P1 from DSMR 4 on; the line is raw, or the terminal driver would eat and echo bytes. */
async function setLine(path: string, baud: number): Promise<void> {
  await promisify(execFile)("stty", ["-F", path, String(baud), "raw", "-echo", "cs8", "-parenb", "-cstopb", "clocal"]);
}
