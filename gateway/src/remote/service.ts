import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type {
  handleUnaryCall,
  Metadata,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
} from "@grpc/grpc-js";
import { VeilgridError } from "@veilgrid/protocol";
import type { EmbeddedLedger, Settled } from "../ledger/embedded.js";
import type { Caller } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import { Bell } from "./bell.js";
import { Callers } from "./callers.js";
import { toStatus } from "./refusal.js";
import {
  LARGEST_MESSAGE,
  ledgerMethods,
  toCall,
  type BlockMessage,
  type BlocksMessage,
  type CallMessage,
  type HeightMessage,
  type OutcomeMessage,
  type ResultMessage,
  type SettledMessage,
  type SubmitMessage,
} from "./wire.js";

export interface LedgerServiceOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** The service's own certificate and key, PEM. */
  readonly tls: { readonly certificate: string; readonly key: string };
  /** By MSP id: the certificate (PEM) of the authority that signs the organisation's clients'. */
  readonly callers: ReadonlyMap<string, string>;
}

export interface LedgerServiceModules {
  readonly ledger: EmbeddedLedger;
  readonly log: Log;
  /** Called when there are new blocks, before others are told of them. */
  readonly onBlocks?: () => Promise<void>;
}

/** A call of the server's that knows its client's certificate. */
interface Authenticated {
  readonly request: unknown;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Uint8Array } };
}

type BlockStream = ServerWritableStream<BlocksMessage, BlockMessage>;

/** How many calls one organisation may have under way, and how many streams of blocks. */
const MOST_CALLS = 64;
const MOST_STREAMS = 16;
const NONCE_BYTES = 24;
/** Milliseconds that calls under way have to end in when the service stops. */
const GRACE = 5000;

const OPTIONS = {
  "grpc.max_receive_message_length": LARGEST_MESSAGE,
  "grpc.max_send_message_length": LARGEST_MESSAGE,
  "grpc.max_concurrent_streams": MOST_CALLS + MOST_STREAMS,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 20_000,
} as const;

/**
 * The embedded ledger behind gRPC with mutual TLS: whoever has a certificate of an organisation's authority calls as that
 * organisation, and as no other. All endorsers are in this one process, so that it is for development and for trying
 * things out: that no single party can write to the ledger is what Fabric is for.
 */
export class LedgerService {
  readonly #ledger: EmbeddedLedger;
  readonly #log: Log;
  readonly #onBlocks: () => Promise<void>;
  readonly #callers: Callers;
  readonly #server = new Server(OPTIONS);
  readonly #underWay = new Map<string, Promise<Settled>>();
  readonly #load = new Map<string, number>();
  /** Of the streams: they ring where there may be another block. */
  readonly #bells = new Set<Bell>();
  #port = 0;
  #isStopped = false;

  private constructor({ callers }: LedgerServiceOptions, modules: LedgerServiceModules) {
    const { ledger, log, onBlocks } = modules;
    this.#ledger = ledger;
    this.#onBlocks = onBlocks ?? (() => Promise.resolve());
    this.#log = log;
    this.#callers = new Callers(callers);
    this.#server.addService(ledgerMethods, {
      Submit: this.#unary<SubmitMessage, OutcomeMessage>((caller, request) => this.#submit(caller, request)),
      Evaluate: this.#unary<CallMessage, ResultMessage>(async (caller, call) => ({
        result: await ledger.as(caller).evaluate(toCall(call)),
      })),
      Settled: this.#unary<SettledMessage, OutcomeMessage>((_, { txId }) => Promise.resolve(this.#settled(txId))),
      Height: this.#unary<object, HeightMessage>(async () => ({ height: (await ledger.height()).toString() })),
      Blocks: (stream: BlockStream) => {
        void this.#blocks(stream);
      },
    });
  }

  /** @throws VeilgridError `bad-credentials`, `address-unusable`. */
  static async listen(options: LedgerServiceOptions, modules: LedgerServiceModules): Promise<LedgerService> {
    const service = new LedgerService(options, modules);
    await service.#bind(options);
    return service;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes no more calls and waits for those that are under way, for a few seconds. The ledger stays open. */
  async close(): Promise<void> {
    this.#isStopped = true;
    this.#grow();
    const timer = setTimeout(() => {
      this.#server.forceShutdown();
    }, GRACE);
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => {
        resolve();
      });
    });
    clearTimeout(timer);
  }

  async #bind({ host, port, tls, callers }: LedgerServiceOptions): Promise<void> {
    const pair = { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) };
    const credentials = ServerCredentials.createSsl(Buffer.from([...callers.values()].join("\n")), [pair], true);
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(unusable(host, port, error));
      });
    });
  }

  #callerOf(call: Authenticated): Caller | undefined {
    const certificate = call.getAuthContext().sslPeerCertificate?.raw;
    const msp = certificate && this.#callers.organisationOf(certificate);
    return msp === undefined ? undefined : { msp };
  }

  #unary<Q, A>(answer: (caller: Caller, request: Q) => Promise<A>): handleUnaryCall<Q, A> {
    return (call: ServerUnaryCall<Q, A>, reply: sendUnaryData<A>) => {
      this.#admitted(call, MOST_CALLS, (caller) => answer(caller, call.request)).then(
        (value) => {
          reply(null, value);
        },
        (error: unknown) => {
          reply(this.#statusOf(error));
        },
      );
    };
  }

  /** Does something for an organisation that has not too much under way. Throws a status or an error. */
  async #admitted<T>(call: Authenticated, most: number, work: (caller: Caller) => Promise<T>): Promise<T> {
    const caller = this.#callerOf(call);
    if (caller === undefined)
      throw new Refused({ code: status.PERMISSION_DENIED, details: "no organisation's client" });
    const key = `${caller.msp} ${most}`;
    const load = this.#load.get(key) ?? 0;
    if (load >= most) throw new Refused({ code: status.RESOURCE_EXHAUSTED, details: "too many calls at once" });
    this.#load.set(key, load + 1);
    try {
      return await work(caller);
    } finally {
      this.#load.set(key, (this.#load.get(key) ?? 1) - 1);
    }
  }

  #statusOf(error: unknown): Partial<StatusObject> & { readonly metadata?: Metadata } {
    if (error instanceof Refused) return error.status;
    if (!(error instanceof VeilgridError)) this.#log("error", "ledger-call-failed", { why: String(error) });
    return toStatus(error);
  }

  /** The same nonce of the same caller again gives what became of the first, under way or in a block. */
  async #submit(caller: Caller, { nonce, call }: SubmitMessage): Promise<OutcomeMessage> {
    if (nonce.length !== NONCE_BYTES || call === null) {
      throw new Refused({
        code: status.INVALID_ARGUMENT,
        details: `a call and a nonce of ${NONCE_BYTES} bytes are due`,
      });
    }
    const txId = this.#ledger.transactionId(caller, nonce);
    const known = this.#ledger.settled(txId);
    if (known !== undefined) return outcome(known);
    let work = this.#underWay.get(txId);
    if (work === undefined) {
      work = this.#ledger.submitAs(caller, toCall(call), nonce).finally(async () => {
        this.#underWay.delete(txId);
        await this.#onBlocks();
        this.#grow();
      });
      this.#underWay.set(txId, work);
    }
    return outcome(await work);
  }

  #settled(txId: string): OutcomeMessage {
    const known = this.#ledger.settled(txId);
    if (known === undefined) throw new Refused({ code: status.NOT_FOUND, details: "no block has this transaction" });
    return outcome(known);
  }

  /** There may be another block. */
  #grow(): void {
    for (const bell of this.#bells) bell.ring();
  }

  async #blocks(stream: BlockStream): Promise<void> {
    const bell = new Bell();
    const ring = (): void => {
      bell.ring();
    };
    for (const event of ["cancelled", "error", "drain"]) stream.on(event, ring);
    this.#bells.add(bell);
    try {
      await this.#admitted(stream, MOST_STREAMS, () => this.#pour(stream, bell));
      stream.end();
    } catch (error) {
      stream.emit("error", this.#statusOf(error));
    } finally {
      this.#bells.delete(bell);
    }
  }

  async #pour(stream: BlockStream, bell: Bell): Promise<void> {
    for (let next = BigInt(stream.request.from); !stream.cancelled && !this.#isStopped;) {
      const bytes = stream.writableNeedDrain ? undefined : this.#ledger.blockBytes(next);
      if (bytes === undefined) await bell.wait();
      else {
        stream.write({ bytes });
        next += 1n;
      }
    }
  }
}

/** A call that is refused with a status alone. */
class Refused extends Error {
  readonly status: Partial<StatusObject>;

  constructor(refusal: Partial<StatusObject>) {
    super(refusal.details);
    this.status = refusal;
  }
}

function outcome({ blockNumber, validation, result }: Settled): OutcomeMessage {
  return { blockNumber: blockNumber.toString(), validation, result };
}

function unusable(host: string, port: number, cause: Error): VeilgridError {
  return new VeilgridError(
    "address-unusable",
    `the ledger service cannot listen on ${host}:${port}: ${cause.message}`,
    {
      facts: { host, port },
      blame: "operator",
      cause,
    },
  );
}
