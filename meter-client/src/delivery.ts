import {
  ANSWER,
  ANSWER_CLASS,
  SIG_BYTES,
  daAddress,
  equalBytes,
  isVeilgridError,
  readingHash,
  receiptVersion,
  verifyBody,
  verifyReceiptOf,
  type Answer,
  type Member,
  type Params,
  type Period,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { decodeReply, type DaReply } from "./answers.js";
import type { Half } from "./halves.js";
import type { Refusal } from "./outbox.js";
import type { MeterTimer, MeterTransport } from "./ports.js";
import type { Timekeeping } from "./timekeeping.js";
import type { Versions } from "./versions.js";

/** Pauses between rounds through all DAs: they double from one to the other. */
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/** What one half's delivery is about. */
export interface DeliveryOptions {
  readonly half: Half;
  readonly consortium: Uint8Array;
  readonly period: Period;
  /** The version whose DAs are tried. */
  readonly params: Params;
  /** The window's end by the meter's clock, Unix milliseconds. */
  readonly closes: number;
  /** How long a DA may take to answer before the next one is tried, milliseconds. */
  readonly patienceMs: number;
}

/** What a delivery works with and whom it tells. */
export interface DeliveryModules {
  readonly time: Timekeeping;
  readonly transport: MeterTransport;
  readonly memory: VerifiedSignatures | undefined;
  readonly versions: Versions;
  /** The signed reading, 113 bytes; made at the first call. */
  readonly reading: () => Uint8Array;
  /** The order of DAs for the round. */
  readonly order: (round: number) => readonly number[];
  /** Whether the other half has been shown to that DA. */
  readonly shunned: (da: number) => boolean;
  /** The half is done: with a receipt, or without one because every DA refused it. */
  readonly onDone: (receipt: Uint8Array | undefined) => Promise<void>;
}

/**
 * One half on its way: DA after DA until one brings a receipt of Q acks ("only then does the meter stop trying other
 * DAs"), every DA has refused it, or the window is over.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #modules: DeliveryModules;
  readonly #shown = new Set<number>();
  readonly #refused = new Map<number, Refusal | undefined>();
  #queue: number[] = [];
  #round = 0;
  #attempt = 0;
  #pauseHint = Infinity;
  #timer: MeterTimer | undefined;
  #done = false;

  constructor(options: DeliveryOptions, modules: DeliveryModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Whether a receipt is here, or nothing more can come. */
  get done(): boolean {
    return this.#done;
  }

  /** The signed refusals so far. */
  get refusals(): Refusal[] {
    return [...this.#refused.values()].filter((refusal) => refusal !== undefined);
  }

  /** Whether this half was shown to the DA. */
  wasShown(da: number): boolean {
    return this.#shown.has(da);
  }

  /** Begins at `time` by the meter's clock. */
  startAt(time: number): void {
    this.#timer = this.#modules.time.at(time, "send half", () => {
      this.#queue = [...this.#modules.order(0)];
      return this.#next();
    });
  }

  stop(): void {
    this.#done = true;
    this.#timer?.cancel();
  }

  /** Half and half of a meter meet at one DA only where there is no other left. */
  #pick(): number | undefined {
    const at = this.#queue.findIndex((da) => !this.#modules.shunned(da));
    const [da] = this.#queue.splice(Math.max(at, 0), 1);
    return da;
  }

  #next(): Promise<void> | void {
    if (this.#done) return;
    const { time, transport, reading } = this.#modules;
    if (time.now() >= this.#options.closes) return;
    const da = this.#pick();
    if (da === undefined) return this.#endRound();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#shown.add(da);
    this.#timer = time.at(time.now() + this.#options.patienceMs, "reading unanswered", () => this.#next());
    transport.request(this.#addressOf(da), "reading", reading(), (response) => this.#hear(da, attempt, response));
  }

  /** Everybody was asked: again after a pause, unless everybody refused. */
  #endRound(): Promise<void> | void {
    const left = this.#modules.order(this.#round + 1).filter((da) => !this.#refused.has(da));
    if (left.length === 0) return this.#finish(undefined);
    const { time } = this.#modules;
    const backoff = MIN_PAUSE_MS * 2 ** this.#round;
    // The shortest wait that a DA asked for counts, so that none can make a meter wait its window out.
    const hint = Number.isFinite(this.#pauseHint) ? this.#pauseHint : 0;
    const pause = Math.min(MAX_PAUSE_MS, Math.max(backoff, hint));
    this.#round += 1;
    this.#pauseHint = Infinity;
    this.#timer = time.at(time.now() + pause, "next round", () => {
      this.#queue = left;
      return this.#next();
    });
  }

  #addressOf(da: number): string {
    return daAddress(this.#options.params.da[da] as Member);
  }

  #hear(da: number, attempt: number, response: Uint8Array): Promise<void> | void {
    if (this.#done) return;
    const reply = decodeReply(response);
    if (this.#isNews(reply)) {
      // A version that the meter has not heard of: the DA that names it shows it, and its answer is looked at again.
      return this.#modules.versions.learn(this.#addressOf(da), () => this.#take(da, attempt, reply));
    }
    return this.#take(da, attempt, reply);
  }

  #isNews(reply: DaReply): boolean {
    const { versions } = this.#modules;
    if (reply.kind === "answer") return versions.isNews(reply.answer.params);
    return reply.kind === "receipt" && reply.receipt.length > 1 && versions.isNews(receiptVersion(reply.receipt));
  }

  #take(da: number, attempt: number, reply: DaReply): Promise<void> | void {
    if (this.#done) return;
    // A receipt counts however late; it is the other side's work done.
    if (reply.kind === "receipt" && this.#isGood(reply.receipt)) return this.#finish(reply.receipt);
    if (reply.kind === "answer") this.#heed(da, reply);
    // A late answer of a DA that was given up must not hurry the present one.
    if (attempt !== this.#attempt) return;
    this.#timer?.cancel();
    return this.#next();
  }

  #isGood(receipt: Uint8Array): boolean {
    const { consortium, period } = this.#options;
    try {
      // "acks, votes and rules of its periods stay under that version [the epoch's] to the end"
      const params = this.#modules.versions.ruling(receiptVersion(receipt), period);
      if (params === undefined) return false;
      verifyReceiptOf(consortium, params, receipt, this.#modules.reading(), this.#modules.memory);
      return true;
    } catch (error) {
      if (isVeilgridError(error)) return false;
      throw error;
    }
  }

  #heed(da: number, reply: Extract<DaReply, { kind: "answer" }>): void {
    const { answer } = reply;
    const { code } = answer;
    if (code === ANSWER["window-early"] || code === ANSWER["window-late"]) this.#modules.time.ask();
    if (answer.class === ANSWER_CLASS.retry) this.#pauseHint = Math.min(this.#pauseHint, answer.retryAfterMs);
    else this.#refused.set(da, this.#evidence(da, answer, reply.signed));
  }

  /** A refusal that the DA signed for this very reading can be shown to others. */
  #evidence(da: number, answer: Answer, signed: Uint8Array | undefined): Refusal | undefined {
    // The index is one of the version that the answer names: another than the one whose DAs are tried, perhaps.
    const signer = this.#modules.versions.ruling(answer.params, this.#options.period)?.da[answer.da];
    if (signed === undefined || signer === undefined || daAddress(signer) !== this.#addressOf(da)) return undefined;
    const { key } = signer;
    if (!equalBytes(answer.readingHash, readingHash(this.#modules.reading()))) return undefined;
    const body = signed.subarray(0, -SIG_BYTES);
    const good = verifyBody("answer", this.#options.consortium, body, signed.subarray(-SIG_BYTES), key);
    return good ? { half: this.#options.half, da, answer: signed.slice() } : undefined;
  }

  #finish(receipt: Uint8Array | undefined): Promise<void> {
    this.stop();
    return this.#modules.onDone(receipt);
  }
}
