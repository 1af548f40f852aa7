import { isVeilgridError, readingHash, type LedgerView } from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Handler, Method, Reply } from "../ports/transport.js";
import { Said } from "../process/said.js";
import { decodeTransaction, encodeAccepted, encodeTime } from "../transport/envelopes.js";
import { Entitlement } from "./entitlement.js";
import type { Parts } from "./parts.js";
import { serveVersions } from "./versions.js";

const RETRY_MS = 1_000;
/** Who asks again for what is not its own is logged again after so long: asking is cheap, and a disk is not. */
const SAID = { most: 256, forMs: 60_000 } as const;

/** Answers to a request at once, or takes `reply` with it for later. */
type Answering = (request: Uint8Array, reply: Reply) => Promise<Uint8Array | undefined>;

/** What others may ask of an aggregator: which part answers what. */
export class Requests {
  readonly #onReview: (chain: number) => Promise<void>;
  readonly #parts: Parts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #said = new Said(SAID);
  readonly #entitlement: Entitlement;
  readonly #methods: Readonly<Partial<Record<Method, Answering>>>;

  /** @param options.onReview called when something may have become due on a chain. */
  constructor(
    options: { readonly onReview: (chain: number) => Promise<void> },
    modules: { readonly parts: Parts; readonly clock: Clock; readonly view: LedgerView; readonly log: Log },
  ) {
    this.#onReview = options.onReview;
    this.#parts = modules.parts;
    this.#clock = modules.clock;
    this.#log = modules.log;
    this.#entitlement = new Entitlement({ membership: modules.parts.membership, view: modules.view });
    const { intake, forwarding, bodies, election, listExchange } = modules.parts;
    this.#methods = {
      reading: (request, reply) => later(intake.receive(request, reply)),
      time: () => Promise.resolve(encodeTime(modules.clock.now())),
      forward: (request) => forwarding.receive(request),
      propose: (request, reply) => later(this.#propose(request, reply)),
      bodies: (request) => Promise.resolve(bodies.serve(request)),
      timeout: (request) => election.timeout(request),
      timeouts: () => Promise.resolve(election.timeouts()),
      elect: (request, reply) => later(election.elect(request, reply)),
      transaction: (request) => this.#transaction(request),
      params: (request) => serveVersions(modules.view, request),
      lists: (request) => listExchange.receive(request),
    };
  }

  readonly handle: Handler = async (method, request, reply, from) => {
    if (!(await this.#entitlement.allows(method, from))) {
      const facts = { method, from: from ?? "anonymous" };
      if (this.#said.isNews(`${method} ${facts.from}`, this.#clock.now())) this.#log("warn", "not-entitled", facts);
      reply(this.#parts.answers.make("not-entitled"));
      return;
    }
    try {
      const response = await this.#methods[method]?.(request, reply);
      if (response !== undefined) reply(response);
    } catch (error) {
      if (!isVeilgridError(error, "malformed") && !isVeilgridError(error, "out-of-range")) throw error;
      this.#log("debug", "malformed-request", { method, why: error.message });
      reply(this.#parts.answers.make("malformed", { hash: readingHash(request) }));
    }
  };

  /** Judges a proposal; bodies that are missing come from the leader first, once. */
  async #propose(request: Uint8Array, reply: Reply): Promise<void> {
    const { voter, bodies, answers } = this.#parts;
    const first = await voter.judge(request);
    if ("response" in first) {
      reply(first.response);
      return;
    }
    bodies.fetch(first.missing, async (readings) => {
      const second = await voter.judge(request, readings);
      reply("response" in second ? second.response : answers.make("bad-block"));
    });
  }

  /** KGCBP's or CC's transaction: accepted once it is durable. */
  async #transaction(request: Uint8Array): Promise<Uint8Array> {
    const transaction = decodeTransaction(request);
    const { inbox, answers } = this.#parts;
    let chain: number;
    try {
      chain = await inbox.accept(transaction);
    } catch (error) {
      if (!isVeilgridError(error) || error.code === "malformed") throw error;
      this.#log("debug", "transaction-refused", { kind: transaction.kind, code: error.code });
      const { retry } = error;
      return answers.make("bad-block", { retry, retryAfterMs: retry ? RETRY_MS : 0 });
    }
    await this.#onReview(chain);
    return encodeAccepted();
  }
}

async function later(done: Promise<void>): Promise<undefined> {
  await done;
}
