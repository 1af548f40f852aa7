import { answerCodec, answerName, isVeilgridError } from "@veilgrid/protocol";
import { decodeResponse } from "../transport/envelopes.js";

/** More samples say nothing new, and would fill the memory of a fleet that runs for months. */
const MOST_SAMPLES = 1_000_000;

/** How long something took, milliseconds of the machine. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What a fleet has sent and what came back, in all. */
export interface Figures {
  /** Halves of which at least one request was made. */
  readonly halves: number;
  readonly requests: number;
  /** Requests beyond a half's first. */
  readonly retries: number;
  readonly receipts: number;
  /** Requests that nothing came back for: the connection failed, or the meter went on to another aggregator. */
  readonly unanswered: number;
  /** By the answer's name. */
  readonly refusals: Readonly<Record<string, number>>;
  /** From a half's first request to its receipt. */
  readonly latency: Latency;
}

/** What came back for a reading: "receipt", or the name of the answer. */
export function outcomeOf(response: Uint8Array): string {
  try {
    const decoded = decodeResponse(response);
    if (decoded.tag === "accepted") return "receipt";
    if (decoded.tag !== "answer") return "malformed-response";
    const { code } = answerCodec.decode(decoded.answer);
    return answerName(code) ?? `answer-${code}`;
  } catch (error) {
    if (isVeilgridError(error)) return "malformed-response";
    throw error;
  }
}

/** Counts what a fleet's halves come to. It knows halves by what they are called by the caller, and forgets them. */
export class FleetCounts {
  /** When the first request of a half that has no receipt was made. */
  readonly #begun = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #samples: number[] = [];
  #halves = 0;
  #requests = 0;
  #answers = 0;
  #receipts = 0;

  /** A request for a half is made. @param now milliseconds of the machine. */
  ask(half: string, now: number): void {
    this.#requests += 1;
    if (this.#begun.has(half)) return;
    this.#halves += 1;
    this.#begun.set(half, now);
  }

  /** Something came back. */
  hear(half: string, outcome: string, now: number): void {
    this.#answers += 1;
    if (outcome !== "receipt") {
      this.#refusals.set(outcome, (this.#refusals.get(outcome) ?? 0) + 1);
      return;
    }
    const begun = this.#begun.get(half);
    // A half that asked two aggregators at once is served twice, and counted once.
    if (begun === undefined || begun < 0) return;
    this.#begun.set(half, -1);
    this.#receipts += 1;
    if (this.#samples.length < MOST_SAMPLES) this.#samples.push(now - begun);
  }

  /** A period is over: nothing of it is asked for any more. @param prefix of its halves' names. */
  forget(prefix: string): void {
    for (const half of this.#begun.keys()) if (half.startsWith(prefix)) this.#begun.delete(half);
  }

  get figures(): Figures {
    return {
      halves: this.#halves,
      requests: this.#requests,
      retries: this.#requests - this.#halves,
      receipts: this.#receipts,
      unanswered: this.#requests - this.#answers,
      refusals: Object.fromEntries([...this.#refusals].sort(([a], [b]) => (a < b ? -1 : 1))),
      latency: latencyOf(this.#samples),
    };
  }
}

/** The smallest sample that so many thousandths of all do not exceed. */
function quantile(ascending: readonly number[], thousandths: number): number {
  const rank = Math.ceil((ascending.length * thousandths) / 1000);
  return ascending[Math.max(0, rank - 1)] ?? 0;
}

export function latencyOf(samples: readonly number[]): Latency {
  const ascending = Float64Array.from(samples).sort();
  const all = Array.from(ascending, (ms) => Math.round(ms * 10) / 10);
  return {
    count: all.length,
    p50: quantile(all, 500),
    p95: quantile(all, 950),
    p99: quantile(all, 990),
    max: all.at(-1) ?? 0,
  };
}
