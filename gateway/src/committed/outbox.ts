import { daAddress, equalBytes, isVeilgridError, type LedgerView } from "@veilgrid/protocol";
import type { Clock, Timer } from "../ports/clock.js";
import type { Address, Method, Transport } from "../ports/transport.js";
import {
  decodeResponse,
  decodeTransaction,
  encodeTransaction,
  type PendingTransaction,
} from "../transport/envelopes.js";

/** How often an unanswered or uncommitted request is repeated, in milliseconds: twice as long each time. */
export interface RepeatOptions {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** 10 s is a round of votes; above 10 minutes the aggregators' own timers have given up (PROTOCOL section 4). */
export const REPEAT: RepeatOptions = { firstMs: 10_000, longestMs: 600_000 };

/** One request to an aggregator. */
export interface Step {
  readonly method: Method;
  readonly request: Uint8Array;
  /** Whether an aggregator that accepted is left alone; otherwise it is repeated until its entry is removed. */
  readonly untilAccepted: boolean;
}

interface Entry {
  steps: readonly Step[];
  due: number;
  wait: number;
  /** By aggregator: how many of the steps it has accepted. */
  readonly accepted: Map<Address, number>;
}

/** A transaction for the ledger: repeated until it is committed. */
export function transactionStep(transaction: PendingTransaction): Step {
  return { method: "transaction", request: encodeTransaction(transaction), untilAccepted: false };
}

function renewedStep(step: Step, renewed: (transaction: PendingTransaction) => PendingTransaction): Step {
  if (step.method !== "transaction") return step;
  return { ...step, request: encodeTransaction(renewed(decodeTransaction(step.request))) };
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

  /**
   * Sends the first step at once, each further one to an aggregator when it has accepted the one before, and repeats
   * until `remove(name)`. A name that is there is replaced.
   */
  async add(name: string, steps: readonly Step[]): Promise<void> {
    const wait = this.#repeat.firstMs;
    const entry: Entry = { steps, due: this.#clock.now() + wait, wait, accepted: new Map() };
    this.#entries.set(name, entry);
    for (const address of await this.#addresses()) this.#send(name, entry, address);
    this.#schedule();
  }

  /**
   * Another version of the parameter set is in force: everything goes to its aggregators at once, and what a key of its
   * own issuer signs anew begins anew.
   * @param renewed a transaction as its issuer signs it now.
   */
  async renew(renewed: (transaction: PendingTransaction) => PendingTransaction): Promise<void> {
    for (const entry of this.#entries.values()) {
      const steps = entry.steps.map((step) => renewedStep(step, renewed));
      const same = steps.every(({ request }, i) => equalBytes(request, (entry.steps[i] as Step).request));
      if (!same) entry.accepted.clear();
      entry.steps = steps;
      entry.wait = this.#repeat.firstMs;
      entry.due = this.#clock.now() + entry.wait;
    }
    const addresses = await this.#addresses();
    for (const [name, entry] of this.#entries) for (const address of addresses) this.#send(name, entry, address);
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
    const current = await this.#view.currentParams();
    const { version } = current;
    // An epoch may still name the version before, whose members vote on it.
    const before = version > 1 ? await this.#view.params(version - 1) : current;
    return [...new Set([...current.da, ...before.da].map(daAddress))];
  }

  /** Sends an aggregator what it has to have again, and the first step that it has not accepted. */
  #send(name: string, entry: Entry, address: Address): void {
    const accepted = entry.accepted.get(address) ?? 0;
    for (const [index, step] of entry.steps.slice(0, accepted + 1).entries()) {
      if (index === accepted || !step.untilAccepted) this.#sendStep(name, entry, address, index);
    }
  }

  #sendStep(name: string, entry: Entry, address: Address, index: number): void {
    const step = entry.steps[index];
    if (step === undefined) return;
    this.#transport.request(address, step.method, step.request, (response) => {
      const next = (entry.accepted.get(address) ?? 0) === index && isAccepted(response);
      if (!next || this.#entries.get(name) !== entry) return;
      entry.accepted.set(address, index + 1);
      this.#sendStep(name, entry, address, index + 1);
    });
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
    for (const [name, entry] of this.#entries) {
      if (entry.due > now) continue;
      for (const address of addresses) this.#send(name, entry, address);
      entry.wait = Math.min(2 * entry.wait, this.#repeat.longestMs);
      entry.due = now + entry.wait;
    }
    this.#schedule();
  }
}
