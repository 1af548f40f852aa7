import type { Log } from "../ports/log.js";
import { finalError, unavailable, type FaultKind } from "./errors.js";
import { failover, type Attempt } from "./failover.js";
import type { Freshness } from "./freshness.js";
import type { Journal, Pending } from "./journal.js";
import type { GatewayPort, Outcome } from "./port.js";
import type { Standing } from "./standing.js";
import { inSeconds, pauseAfter, type Waiting } from "./waiting.js";

export interface SettlementModules {
  readonly standing: Standing;
  readonly freshness: Freshness;
  readonly journal: Journal;
  readonly waiting: Waiting;
  readonly log: Log;
}

/** A transaction that is in the journal, and how to follow it. */
export interface Following {
  readonly pending: Pending;
  /** In the order of preference. */
  readonly gateways: readonly GatewayPort[];
  /** When to give up, in the module's time: the transaction then stays in the journal. */
  readonly until: number;
  /** Whether it may have been sent before. */
  readonly maybeSent: boolean;
}

/** With these a gateway says that it has not passed the transaction on. */
const NOT_PASSED_ON: ReadonlySet<FaultKind> = new Set(["access", "too-large"]);

/**
 * Milliseconds after which a commit is slow: some 200 are usual. Orderers whose leader is away take 11 s, a peer whose
 * orderer is frozen 5 s.
 */
const SLOW_COMMIT = 4000;

/**
 * Brings transactions that have been written down to a known outcome. One that may have been sent before is looked up
 * first, and what is sent again is the same bytes: the channel takes a transaction id once.
 */
export class Settlement {
  readonly #modules: SettlementModules;

  constructor(modules: SettlementModules) {
    this.#modules = modules;
  }

  /**
   * @returns the peers' verdict, whatever it is; the transaction has left the journal.
   * @throws VeilgridError `ledger-unavailable` with `facts.txId`: the outcome is unknown, and the transaction still in the
   *   journal; `too-large`, `access-refused`, `tls-refused`.
   */
  async settle(following: Following): Promise<Outcome> {
    const { journal } = this.#modules;
    try {
      const outcome = await this.#follow(following);
      await journal.close(following.pending);
      return outcome;
    } catch (error) {
      journal.leave(following.pending);
      throw error;
    }
  }

  async #follow(following: Following): Promise<Outcome> {
    const { waiting, journal, log } = this.#modules;
    const { pending, until } = following;
    const { txId } = pending;
    for (let rounds = 0, maybeSent = following.maybeSent; ; rounds += 1, maybeSent = true) {
      const made = await this.#round(following, maybeSent);
      if (made.ok) return made.value;
      const error = finalError(made.fault, pending.msp);
      const isNowhere = !maybeSent && made.faults.every(({ kind }) => NOT_PASSED_ON.has(kind));
      if (error !== undefined && isNowhere) await journal.close(pending);
      if (error !== undefined) throw error;
      const pause = pauseAfter(rounds, waiting);
      if (waiting.now() + pause >= until) throw unavailable(made.fault, txId);
      log("warn", "transaction-unsettled", { txId, phase: made.fault.phase, gateway: made.fault.gateway });
      await waiting.wait(pause);
    }
  }

  /** Looks the transaction up, sends it unless it is there, and waits for the verdict. */
  async #round({ pending, gateways }: Following, maybeSent: boolean): Promise<Attempt<Outcome>> {
    const { waiting, log } = this.#modules;
    const { txId, bytes } = pending;
    if (maybeSent) {
      const found = await failover("look-up", gateways, (gateway) => gateway.lookUp(txId), this.#modules);
      if (!found.ok) return found;
      if (found.value !== undefined) return this.#noted(txId, { ...found, value: found.value });
    }
    const ordered = await failover("submit", gateways, (gateway) => gateway.order(bytes), this.#modules);
    if (!ordered.ok && ordered.fault.kind !== "ordered") return ordered;
    const start = waiting.now();
    const made = await failover("commit", gateways, (gateway) => gateway.outcome(txId), this.#modules);
    const took = waiting.now() - start;
    if (made.ok && took >= SLOW_COMMIT) log("warn", "committed-slowly", { txId, seconds: inSeconds(took) });
    return made.ok ? this.#noted(txId, made) : made;
  }

  #noted(txId: string, made: Attempt<Outcome> & { readonly ok: true }): Attempt<Outcome> {
    this.#modules.freshness.committed(made.gateway, txId, made.value.blockNumber);
    return made;
  }
}
