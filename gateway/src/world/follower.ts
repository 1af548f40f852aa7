import type { Clock } from "../ports/clock.js";
import type { Ledger, LedgerEvent } from "../ports/ledger.js";

/** Time from a commit to a role's hearing of it, in milliseconds. */
const NOTICE_MS = 20;

/** A role that follows the ledger. */
export interface Listener {
  readonly name: string;
  /** Undefined while its process is down: it learns of what it missed at its start. */
  readonly current: () => { onLedgerEvent(event: LedgerEvent): Promise<void> } | undefined;
}

/** Delivers the ledger's events to the roles, each as an action of its own. */
export class Follower {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #listeners: readonly Listener[];
  #next: bigint;

  /** @param next number of the first ledger block whose events are delivered. */
  constructor(modules: { ledger: Ledger; clock: Clock; listeners: readonly Listener[] }, next: bigint) {
    this.#ledger = modules.ledger;
    this.#clock = modules.clock;
    this.#listeners = modules.listeners;
    this.#next = next;
  }

  /** Looks for new blocks and returns their events. */
  async look(): Promise<readonly LedgerEvent[]> {
    const height = await this.#ledger.height();
    if (height === this.#next) return [];
    const events: LedgerEvent[] = [];
    for await (const event of this.#ledger.events(this.#next)) {
      // The ledger may have grown since it was asked: what came meanwhile is the next look's.
      if (event.blockNumber < height) events.push(event);
    }
    this.#next = height;
    for (const event of events) this.#deliver(event);
    return events;
  }

  #deliver(event: LedgerEvent): void {
    for (const { name, current } of this.#listeners) {
      const listener = current();
      if (listener === undefined) continue;
      this.#clock.at(this.#clock.now() + NOTICE_MS, `${event.name} reaches ${name}`, async () => {
        if (current() === listener) await listener.onLedgerEvent(event);
      });
    }
  }
}
