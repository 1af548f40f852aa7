import type { Address, Method } from "../ports/transport.js";

/** A call that is over, as one side saw it. */
export interface CallRecord {
  readonly side: "client" | "server";
  readonly method: Method;
  /** The other side; undefined for an anonymous meter. */
  readonly peer: Address | undefined;
  /** "ok", or the code of what went wrong. */
  readonly outcome: string;
  readonly milliseconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Who counts what a transport does. */
export interface TransportMetrics {
  readonly onCall?: (call: CallRecord) => void;
  /** A connection that was not let in, or was ended: `why` is one of few words. */
  readonly onDropped?: (why: string) => void;
}
