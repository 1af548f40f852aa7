import { ANSWER, KIND, answerCodec, answerName, isVeilgridError, type Header } from "@veilgrid/protocol";
import { kindName } from "../committed/kind-name.js";
import type { CallRecord, TransportMetrics } from "../grpc/metrics.js";
import type { ProcessMetrics } from "../process/metrics.js";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Change, Store } from "../ports/store.js";
import type { Handler, Method } from "../ports/transport.js";
import { decodeResponse } from "../transport/envelopes.js";

/** What a response is, in a word: "accepted", "incomplete", "nothing" for a device, or the name of an Answer's code. */
export function wordOf(method: Method, response: Uint8Array): string {
  // The two without an envelope.
  if (method === "time") return "accepted";
  if (method === "delivery") return response.length === 0 ? "nothing" : "accepted";
  try {
    const decoded = decodeResponse(response);
    if (decoded.tag !== "answer") return decoded.tag;
    return answerName(answerCodec.decode(decoded.answer).code) ?? "unknown";
  } catch (error) {
    if (isVeilgridError(error, "malformed")) return "malformed";
    throw error;
  }
}

const MILLISECOND = 0.001;

/** What a service counts, and the things that it counts at. No label names a meter, a PRID or a customer. */
export class ServiceNumbers {
  readonly #metrics: ProcessMetrics;
  readonly #requests;
  readonly #readings;
  readonly #acks;
  readonly #votes;
  readonly #calls;
  readonly #callSeconds;
  readonly #dropped;
  readonly #ledgerCalls;
  readonly #ledgerSeconds;
  readonly #storeSeconds;
  readonly #blocks;
  readonly #rounds;
  readonly #lines;

  constructor(metrics: ProcessMetrics) {
    this.#metrics = metrics;
    this.#requests = metrics.counter("requests_total", "Requests by what they were answered.", ["method", "answer"]);
    this.#readings = metrics.counter("readings_total", "Meters' readings by answer; accepted is a receipt.", [
      "answer",
    ]);
    this.#acks = metrics.counter("acks_total", "Forwarded bundles by answer; accepted is an ack.", ["answer"]);
    this.#votes = metrics.counter("votes_total", "Proposals by answer; accepted is a vote.", ["vote"]);
    this.#calls = metrics.counter("transport_calls_total", "Calls by outcome.", ["side", "method", "outcome"]);
    this.#callSeconds = metrics.seconds("transport_call_seconds", "Calls' duration.", ["side", "method"]);
    this.#dropped = metrics.counter("transport_dropped_total", "Connections refused or ended.", ["outcome"]);
    this.#ledgerCalls = metrics.counter("ledger_calls_total", "Ledger calls by outcome.", ["call", "outcome"]);
    this.#ledgerSeconds = metrics.seconds("ledger_call_seconds", "Ledger calls' duration.", ["call"]);
    this.#storeSeconds = metrics.seconds("store_write_seconds", "Durable writes' duration.");
    this.#blocks = metrics.counter("blocks_total", "Committed blocks followed.", ["region", "kind"]);
    this.#rounds = metrics.counter("rounds_total", "Rounds of votes that committed blocks took.", ["region"]);
    this.#lines = metrics.counter("log_lines_total", "Log lines by level.", ["level"]);
  }

  /** Counts lines by level. */
  log(log: Log): Log {
    return (level, event, facts) => {
      this.#lines.inc({ level });
      log(level, event, facts);
    };
  }

  /** Counts what a role answers. */
  handler(handle: Handler): Handler {
    return (method, request, reply, from) => {
      const counted = (response: Uint8Array): void => {
        this.#answered(method, wordOf(method, response));
        reply(response);
      };
      return handle(method, request, counted, from);
    };
  }

  #answered(method: Method, answer: string): void {
    this.#requests.inc({ method, answer });
    if (method === "reading") this.#readings.inc({ answer });
    if (method === "forward") this.#acks.inc({ answer });
    if (method === "propose") this.#votes.inc({ vote: answer });
  }

  /** Counts a transport's calls. */
  readonly transport: TransportMetrics = {
    onCall: ({ side, method, outcome, milliseconds }: CallRecord): void => {
      this.#calls.inc({ side, method, outcome });
      this.#callSeconds.observe({ side, method }, milliseconds * MILLISECOND);
    },
    onDropped: (why): void => {
      this.#dropped.inc({ outcome: why });
    },
  };

  /** Counts a ledger's calls. */
  ledger(client: LedgerClient): LedgerClient {
    const counted = async <T>(call: string, work: Promise<T>): Promise<T> => {
      const end = this.#ledgerSeconds.startTimer({ call });
      try {
        const result = await work;
        this.#ledgerCalls.inc({ call, outcome: "ok" });
        return result;
      } catch (error) {
        this.#ledgerCalls.inc({ call, outcome: isVeilgridError(error) ? error.code : "internal-error" });
        throw error;
      } finally {
        end();
      }
    };
    return {
      submit: (call) => counted(call.name, client.submit(call)),
      evaluate: (call) => counted(call.name, client.evaluate(call)),
    };
  }

  /** Times a store's writes. @param onFailure told when the disk did not take one: what memory has is no longer on it. */
  store(store: Store, onFailure: (error: unknown) => void): Store {
    return {
      get: (key) => store.get(key),
      range: (prefix) => store.range(prefix),
      write: async (changes: readonly Change[]): Promise<void> => {
        const end = this.#storeSeconds.startTimer();
        try {
          await store.write(changes);
        } catch (error) {
          onFailure(error);
          throw error;
        } finally {
          end();
        }
      },
    };
  }

  /** A block was committed. */
  committed({ kind, region, round }: Header): void {
    this.#blocks.inc({ region: String(region), kind: kindName(kind) });
    if (kind === KIND.readings) this.#rounds.inc({ region: String(region) }, 1 + round);
  }

  /** A number that is read when the page is. */
  gauge(name: string, help: string, read: () => number): void {
    this.#metrics.gauge(name, help, [], (gauge) => {
      gauge.set(read());
    });
  }

  /** An aggregator's part in its term: 1 for the one that it has. */
  roles(read: () => string): void {
    this.#metrics.gauge("role", "The aggregator's part in its term.", ["role"], (gauge) => {
      for (const role of ["follower", "candidate", "leader"]) gauge.set({ role }, role === read() ? 1 : 0);
    });
  }

  /** Shows each name as one answer that has not come yet, so that a rate has its zero. */
  expectReadings(): void {
    for (const answer of ["accepted", ...Object.keys(ANSWER)]) this.#readings.inc({ answer }, 0);
  }
}
