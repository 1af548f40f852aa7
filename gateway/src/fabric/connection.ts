import { readFileSync } from "node:fs";
import { Client, credentials } from "@grpc/grpc-js";
import type { ProfileGateway } from "./profile.js";

/** Bytes of the largest message that Fabric's own servers and clients take (`comm.MaxRecvMsgSize`): a block fits. */
const LARGEST_MESSAGE = 100 * 1024 * 1024;

/**
 * Options of a connection. A stock peer closes connections that ping more often than each 60 s (`peer.keepalive.minInterval`),
 * so a peer that froze while a stream of blocks is idle is noticed after 70 s; one that owes an answer, by the call's deadline.
 */
const OPTIONS = {
  "grpc.keepalive_time_ms": 65_000,
  "grpc.keepalive_timeout_ms": 5_000,
  // A peer that was restarted is found again soon: stock, a client may wait two minutes.
  "grpc.initial_reconnect_backoff_ms": 200,
  "grpc.max_reconnect_backoff_ms": 2_000,
  "grpc.max_receive_message_length": LARGEST_MESSAGE,
  "grpc.max_send_message_length": LARGEST_MESSAGE,
} as const;

/** The one connection to a peer that all callers of this process share, made when it is first asked for. */
export class Connection {
  readonly #gateway: ProfileGateway;
  #client: Client | undefined;

  constructor(gateway: ProfileGateway) {
    this.#gateway = gateway;
  }

  /** @throws Error of the file system where the certificate of the TLS authority cannot be read. */
  get client(): Client {
    this.#client ??= this.#connect();
    return this.#client;
  }

  #connect(): Client {
    const { address, host, tlsRoot } = this.#gateway;
    const tls = credentials.createSsl(readFileSync(tlsRoot));
    return new Client(address, tls, { ...OPTIONS, "grpc.ssl_target_name_override": host });
  }

  close(): void {
    this.#client?.close();
  }
}
