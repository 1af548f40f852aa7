import { setTimeout as pause } from "node:timers/promises";
import { headerCodec, isVeilgridError, type Header } from "@veilgrid/protocol";
import type { Ledger, LedgerEvent } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";

/** How often the copy of the ledger in this process is looked at: a part of what a commit takes. */
const LOOK_MS = 20;
const RETRY_MS = 1_000;

/** Whom a Following tells. */
export interface FollowingModules {
  readonly ledger: Ledger;
  readonly deliver: (event: LedgerEvent) => Promise<void>;
  readonly onBlock: (header: Header) => void;
  readonly log: Log;
}

/** Gives a role the ledger's events in their order, one after the other, each when the one before is done with. */
export class Following {
  readonly #modules: FollowingModules;
  readonly #stopping = new AbortController();
  #next: bigint;
  #height: bigint;
  #running: Promise<void> = Promise.resolve();

  /** @param next number of the first block whose events are delivered: the height when the role was started. */
  constructor(next: bigint, modules: FollowingModules) {
    this.#modules = modules;
    this.#next = next;
    this.#height = next;
  }

  /** The number of the next block whose events are delivered. */
  get next(): bigint {
    return this.#next;
  }

  /** Blocks that are here and not yet delivered. */
  get lag(): number {
    return Number(this.#height - this.#next);
  }

  /** @param onFailure told when the role failed at an event; nothing more is delivered then. */
  start(onFailure: (error: unknown) => void): void {
    this.#running = this.#run().catch(onFailure);
  }

  /** Resolves when the event that is being delivered is done with. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      const events = await this.#look();
      for (const event of events ?? []) {
        if (this.#isStopped()) return;
        await this.#modules.deliver(event);
        if (event.name === "block") this.#modules.onBlock(headerCodec.decode(event.payload));
      }
      if (events === undefined || events.length === 0) await this.#wait(events === undefined ? RETRY_MS : LOOK_MS);
    }
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #wait(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** The events of new blocks; undefined where the ledger cannot be read now. */
  async #look(): Promise<readonly LedgerEvent[] | undefined> {
    try {
      const height = await this.#modules.ledger.height();
      this.#height = height;
      if (height === this.#next) return [];
      const events: LedgerEvent[] = [];
      for await (const event of this.#modules.ledger.events(this.#next)) {
        // The ledger may have grown since it was asked: what came meanwhile is the next look's.
        if (event.blockNumber < height) events.push(event);
      }
      this.#next = height;
      return events;
    } catch (error) {
      if (!isVeilgridError(error) || !error.retry) throw error;
      this.#modules.log("warn", "ledger-not-followed", { code: error.code, why: error.message });
      return undefined;
    }
  }
}
