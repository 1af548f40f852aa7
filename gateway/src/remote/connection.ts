import type { Client, ClientReadableStream, MethodDefinition } from "@grpc/grpc-js";
import { connect, trusting, type Endpoint } from "../grpc/endpoint.js";
import { LARGEST_MESSAGE } from "./wire.js";

/** Where the ledger service is, and by what it is known. */
export type LedgerEndpoint = Endpoint;

/** An organisation's client of the service. */
export interface LedgerIdentity {
  readonly msp: string;
  /** PEM, signed by the organisation's authority. */
  readonly certificate: string;
  readonly key: string;
}

/** Milliseconds until calls are given up. */
export interface RemoteDeadlines {
  /** One attempt to submit: three endorsers verify a block of some thousand signatures, on a busy machine. */
  readonly submit: number;
  readonly evaluate: number;
  readonly lookUp: number;
  /** Opening: until the service tells its height, and for each transaction that was left behind. */
  readonly open: number;
  /** A whole submission or query over all attempts. */
  readonly overall: number;
}

export const REMOTE_DEADLINES: RemoteDeadlines = {
  submit: 60_000,
  evaluate: 20_000,
  lookUp: 10_000,
  open: 60_000,
  overall: 180_000,
};

const OPTIONS = {
  "grpc.max_receive_message_length": LARGEST_MESSAGE,
  "grpc.max_send_message_length": LARGEST_MESSAGE,
  // A service whose machine froze is noticed although a stream of blocks owes nothing.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
} as const;

/** One organisation's connection to the ledger service. */
export class LedgerConnection {
  readonly target: string;
  readonly #client: Client;
  readonly #underWay = new Set<() => void>();

  constructor(endpoint: LedgerEndpoint, identity: LedgerIdentity) {
    this.target = endpoint.target;
    this.#client = connect(endpoint, trusting(endpoint.authority, identity), OPTIONS);
  }

  /** One request and its answer. Throws what grpc-js throws. */
  ask<Q, A>(method: MethodDefinition<Q, A>, request: Q, milliseconds: number): Promise<A> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        // A service that is being started again is waited for.
        { deadline: Date.now() + milliseconds },
        (error, answer) => {
          this.#underWay.delete(cancel);
          if (error !== null) reject(error);
          else resolve(answer as A);
        },
      );
      const cancel = (): void => {
        call.cancel();
      };
      this.#underWay.add(cancel);
    });
  }

  /** A stream of answers without a deadline. */
  stream<Q, A>(method: MethodDefinition<Q, A>, request: Q): ClientReadableStream<A> {
    return this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
    );
  }

  /** Ends every call that is under way. */
  close(): void {
    for (const cancel of this.#underWay) cancel();
    this.#client.close();
  }
}
