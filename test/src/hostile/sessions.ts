import type { ClientHttp2Session } from "node:http2";
import { openSession, type Line } from "./wire.js";

/** Calls on one session; a meters' server ends it at 32 KB anyway. */
const CALLS = 25;

interface Session {
  readonly open: Promise<ClientHttp2Session | undefined>;
  calls: number;
}

/** A few HTTP/2 sessions to one server, each replaced by one from another address when it is used up or ended. */
export class Sessions {
  readonly #lineOf: (n: number) => Line;
  readonly #seats = new Map<number, Session>();
  #opened = 0;

  /** @param lineOf how the nth session is opened. */
  constructor(lineOf: (n: number) => Line) {
    this.#lineOf = lineOf;
  }

  /** A session for one call; undefined where the server wants none. */
  async take(seat: number): Promise<ClientHttp2Session | undefined> {
    const now = this.#seats.get(seat);
    if (now !== undefined && now.calls < CALLS && (await isOpen(now))) {
      now.calls += 1;
      return now.open;
    }
    // Another call may have replaced it meanwhile.
    if (this.#seats.get(seat) !== now) return this.take(seat);
    void now?.open.then((session) => {
      session?.close();
    });
    const next = { open: openSession(this.#lineOf(this.#opened)), calls: 1 };
    this.#opened += 1;
    this.#seats.set(seat, next);
    return next.open;
  }

  async close(): Promise<void> {
    for (const { open } of this.#seats.values()) (await open)?.destroy();
  }
}

async function isOpen({ open }: Session): Promise<boolean> {
  const session = await open;
  return session !== undefined && !session.destroyed && !session.closed;
}
