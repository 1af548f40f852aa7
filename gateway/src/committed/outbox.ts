import { isVeilgridError, type LedgerView } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Address, Method, Transport } from "../ports/transport.js";
import { decodeResponse } from "../transport/envelopes.js";

/** How often an unanswered or uncommitted request is repeated, in milliseconds: twice as long each time. */
export interface RepeatOptions {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** 10 s is a round of votes; above 10 minutes the aggregators' own timers have given up (PROTOCOL section 4). */
export const REPEAT: RepeatOptions = { firstMs: 10_000, longestMs: 600_000 };

/** What is to reach every aggregator. */
export interface Posting {
  readonly method: Method;
  readonly requests: readonly Uint8Array[];
  /** Whether an aggregator that accepted is left alone; otherwise everything is repeated until it is removed. */
  readonly untilAccepted: boolean;
}

interface Entry extends Posting {
  due: number;
  wait: number;
  /** Which request which aggregator has accepted: "index/address". */
  readonly accepted: Set<string>;
}

/** What an aggregator answers is its own affair: anything but a well-formed acceptance is none. */
function isAccepted(response: Uint8Array): boolean {
  try {
    return decodeResponse(response).tag === "accepted";
  } catch (error) {
    if (isVeilgridError(error, "malformed")) return false;
    throw error;
  }
}

/**
 * Sends to all aggregators, and again, until it is removed: "KGCBP and CC send their transactions to all DAs". What is in
 * it is lost with the process; its owner puts it in again at start, from its own store and the ledger.
 */
export class Outbox {
  readonly #repeat: RepeatOptions;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #view: LedgerView;
  readonly #entries = new Map<string, Entry>();
  #timer: Timer | undefined;

  constructor(
    modules: { readonly clock: Clock; readonly transport: Transport; readonly view: LedgerView },
    repeat: RepeatOptions = REPEAT,
  ) {
    this.#clock = modules.clock;
    this.#transport = modules.transport;
    this.#view = modules.view;
    this.#repeat = repeat;
  }

  /** The names of what is not yet removed. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Sends at once and repeats until `remove(name)`. A name that is there is replaced. */
  async add(name: string, posting: Posting): Promise<void> {
    const wait = this.#repeat.firstMs;
    const entry: Entry = { ...posting, due: this.#clock.now() + wait, wait, accepted: new Set() };
    this.#entries.set(name, entry);
    this.#send(entry, await this.#addresses());
    this.#schedule();
  }

  /** Whether there was such a name. */
  remove(name: string): boolean {
    const removed = this.#entries.delete(name);
    this.#schedule();
    return removed;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#entries.clear();
  }

  async #addresses(): Promise<Address[]> {
    const { da } = await this.#view.currentParams();
    return da.map((_, index) => `da/${index}`);
  }

  #send(entry: Entry, addresses: readonly Address[]): void {
    for (const address of addresses) {
      for (const [index, request] of entry.requests.entries()) {
        const mark = `${index}/${address}`;
        if (entry.untilAccepted && entry.accepted.has(mark)) continue;
        this.#transport.request(address, entry.method, request, (response) => {
          if (isAccepted(response)) entry.accepted.add(mark);
        });
      }
    }
  }

  /** One timer for all, at the earliest repetition. */
  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#entries.size === 0) return;
    const due = Math.min(...[...this.#entries.values()].map((entry) => entry.due));
    this.#timer = this.#clock.at(due, "outbox", () => this.#repeatDue());
  }

  async #repeatDue(): Promise<void> {
    const now = this.#clock.now();
    const addresses = await this.#addresses();
    for (const entry of this.#entries.values()) {
      if (entry.due > now) continue;
      this.#send(entry, addresses);
      entry.wait = Math.min(2 * entry.wait, this.#repeat.longestMs);
      entry.due = now + entry.wait;
    }
    this.#schedule();
  }
}
