import { MAX_INPUT_BYTES } from "@veilgrid/protocol";
import type { Audience } from "./services.js";

/**
 * What one caller may take of a server. A caller is an organisation where it has shown a certificate, and else the
 * network that it comes from: an IPv4 address, or 64 bits of an IPv6 one.
 */
export interface Limits {
  /** Bytes of the largest request; a larger one is refused before it is read to its end. */
  readonly requestBytes: number;
  /** Calls of one caller at a time, and of one connection. */
  readonly calls: number;
  readonly streams: number;
  /** Calls a second of one caller on average, and how many it may make at once after a pause. */
  readonly callsPerSecond: number;
  readonly callBurst: number;
  /** Open connections in all; with more, the one that has been without a call for longest is closed. */
  readonly connections: number;
  /** Open connections of one network; likewise. */
  readonly connectionsPerCaller: number;
  /** New connections a second of one network on average, and how many at once after a pause. */
  readonly connectionsPerSecond: number;
  readonly connectionBurst: number;
  /** Bytes that may come in on one connection in its life. */
  readonly connectionBytes: number;
  /** Milliseconds in which a TLS handshake must be done. */
  readonly handshakeMs: number;
  /** Milliseconds in which a request must be there, from the call's beginning. */
  readonly requestMs: number;
  /** Milliseconds in which a call must be answered, from its beginning. */
  readonly callMs: number;
  /** Milliseconds that a connection may be without a call. */
  readonly idleMs: number;
}

/**
 * A meter has a connection for each call and sends at most 113 bytes of body, so all is small; TLS takes 1 to 2 KB. The
 * rates are for a network, because nothing tells two meters apart: 50 a second is 30,000 in a submission window of ten
 * minutes, the halves of 15,000 meters behind one address.
 */
const METERS: Limits = {
  requestBytes: 1_024,
  calls: 256,
  streams: 4,
  callsPerSecond: 50,
  callBurst: 250,
  connections: 4_096,
  connectionsPerCaller: 512,
  connectionsPerSecond: 50,
  connectionBurst: 250,
  connectionBytes: 32_768,
  handshakeMs: 5_000,
  requestMs: 5_000,
  callMs: 30_000,
  idleMs: 10_000,
};

/**
 * An organisation is known, sends bundles all the time, and lists and proposals of up to 2 MiB; what it could make this
 * process hold is `calls` of the largest.
 */
const ORGANISATIONS: Limits = {
  requestBytes: MAX_INPUT_BYTES + 1_024,
  calls: 64,
  streams: 64,
  callsPerSecond: 500,
  callBurst: 2_000,
  connections: 512,
  connectionsPerCaller: 64,
  connectionsPerSecond: 10,
  connectionBurst: 100,
  connectionBytes: Infinity,
  handshakeMs: 5_000,
  requestMs: 20_000,
  callMs: 60_000,
  idleMs: 900_000,
};

/** An audience's limits, where nothing else is configured. */
export const LIMITS: Readonly<Record<Audience, Limits>> = {
  meters: METERS,
  organisations: ORGANISATIONS,
  devices: METERS,
};
