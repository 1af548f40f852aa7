import { randomBytes } from "node:crypto";
import { isVeilgridError, type VeilgridError } from "@veilgrid/protocol";
import { callDigest, type Journal, type Pending } from "../fabric/journal.js";
import { pauseAfter, type Waiting } from "../fabric/waiting.js";
import { mvccConflict } from "../ledger/errors.js";
import { identityOf } from "../ledger/identity.js";
import { plain } from "../ledger/plain.js";
import { transactionId } from "../ledger/proposal.js";
import type { Call, Committed, LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { LedgerConnection, RemoteDeadlines } from "./connection.js";
import { failureOf, isNotFound, serviceUnavailable, type Failure } from "./refusal.js";
import { ledgerMethods, toMessage, type OutcomeMessage } from "./wire.js";

/** What the clients of a process share. */
export interface RemoteModules {
  readonly journal: Journal;
  readonly waiting: Waiting;
  readonly deadlines: RemoteDeadlines;
  readonly log: Log;
  /** Waits until this process's own copy of the ledger has a block. */
  readonly reached: (blockNumber: bigint) => Promise<void>;
  /** Whether the ledger was closed: what is under way then ends at once. */
  readonly isClosed: () => boolean;
}

/** Verdicts on a transaction that another one overtook: endorsed anew it may be valid. */
const OVERTAKEN: ReadonlySet<string> = new Set(["MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"]);
/** How often a call is endorsed anew before it is told of a conflict. */
const ENDORSEMENTS = 8;
const NONCE_BYTES = 24;

const { Submit, Evaluate, Settled, Height } = ledgerMethods;

/** One organisation's client of the ledger service. */
export class RemoteClient implements LedgerClient {
  readonly #msp: string;
  readonly #connection: LedgerConnection;
  readonly #modules: RemoteModules;

  constructor(msp: string, connection: LedgerConnection, modules: RemoteModules) {
    this.#msp = msp;
    this.#connection = connection;
    this.#modules = modules;
  }

  async evaluate(call: Call): Promise<Uint8Array> {
    const { deadlines } = this.#modules;
    const ask = (): Promise<{ readonly result: Uint8Array }> =>
      this.#connection.ask(Evaluate, toMessage(call), deadlines.evaluate);
    return plain((await this.#persist(this.#until(deadlines.overall), ask)).result);
  }

  /** How many blocks the service has. @throws VeilgridError `ledger-unavailable`, `access-refused`, `tls-refused`. */
  async height(): Promise<bigint> {
    const { deadlines } = this.#modules;
    const ask = (): Promise<{ readonly height: string }> => this.#connection.ask(Height, {}, deadlines.lookUp);
    return BigInt((await this.#persist(this.#until(deadlines.open), ask)).height);
  }

  async submit(call: Call): Promise<Committed> {
    const { waiting, journal, deadlines } = this.#modules;
    const until = this.#until(deadlines.overall);
    const digest = callDigest(this.#msp, call);
    let pending = journal.take(digest);
    for (let endorsements = 0; ; endorsements += 1) {
      const maybeSent = pending !== undefined;
      pending ??= await this.#prepared(call, digest);
      const { blockNumber, validation, result } = await this.#settle(pending, maybeSent, until);
      const number = BigInt(blockNumber);
      if (validation === "VALID") return this.#committed({ txId: pending.txId, blockNumber: number, result });
      const isLast = !OVERTAKEN.has(validation) || endorsements >= ENDORSEMENTS || waiting.now() >= until;
      if (isLast) throw mvccConflict(pending.txId, number, validation);
      await waiting.wait(pauseAfter(endorsements, waiting));
      pending = undefined;
    }
  }

  /** Follows to its end what an earlier process left. Returns the verdict. */
  async takeUp(pending: Pending): Promise<string> {
    return (await this.#settle(pending, true, this.#until(this.#modules.deadlines.open))).validation;
  }

  #until(milliseconds: number): number {
    return this.#modules.waiting.now() + milliseconds;
  }

  /** Draws a call's nonce, and writes it down with the call: only then may it be sent. */
  async #prepared(call: Call, digest: string): Promise<Pending> {
    const nonce = randomBytes(NONCE_BYTES);
    const txId = transactionId(nonce, identityOf(this.#msp).creator);
    const bytes = Submit.requestSerialize({ nonce, call: toMessage(call) });
    const pending = { txId, msp: this.#msp, call: digest, bytes };
    await this.#modules.journal.add(pending);
    return pending;
  }

  async #committed(committed: Committed): Promise<Committed> {
    const { txId, blockNumber, result } = committed;
    const { reached, log } = this.#modules;
    // It is committed, whatever becomes of the copy: a caller who is told of an error would submit it again.
    await reached(blockNumber).catch((error: unknown) => {
      log("error", "replica-behind", { txId, blockNumber: blockNumber.toString(), why: String(error) });
    });
    return { txId, blockNumber, result: plain(result) };
  }

  /** Brings a transaction that has been written down to a known outcome, by sending the same bytes again and again. */
  async #settle(pending: Pending, maybeSent: boolean, until: number): Promise<OutcomeMessage> {
    const { journal } = this.#modules;
    try {
      const outcome = await this.#follow(pending, maybeSent, until);
      await journal.close(pending);
      return outcome;
    } catch (error) {
      if (isVeilgridError(error, "ledger-unavailable")) journal.leave(pending);
      else await journal.close(pending);
      throw error;
    }
  }

  async #follow(pending: Pending, wasMaybeSent: boolean, until: number): Promise<OutcomeMessage> {
    const { deadlines, log } = this.#modules;
    const { txId } = pending;
    const request = Submit.requestDeserialize(Buffer.from(pending.bytes));
    let maybeSent = wasMaybeSent;
    return this.#persist(
      until,
      async () => {
        const found = maybeSent ? await this.#lookUp(txId) : undefined;
        maybeSent = true;
        return found ?? this.#connection.ask(Submit, request, deadlines.submit);
      },
      ({ error }) => {
        log("warn", "transaction-unsettled", { txId, code: error.code, why: error.message });
        return { txId };
      },
    );
  }

  #lookUp(txId: string): Promise<OutcomeMessage | undefined> {
    const asked = this.#connection.ask(Settled, { txId }, this.#modules.deadlines.lookUp);
    return asked.catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  }

  /** Repeats an attempt with growing pauses until the service is heard or the time is over. */
  async #persist<T>(
    until: number,
    attempt: () => Promise<T>,
    failed: (failure: Failure) => { readonly txId?: string } = () => ({}),
  ): Promise<T> {
    const { waiting, isClosed } = this.#modules;
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt();
      } catch (thrown) {
        const failure = failureOf(thrown, this.#connection.target);
        if (failure.heard) throw failure.error;
        const facts = failed(failure);
        const pause = pauseAfter(failures, waiting);
        if (isClosed() || waiting.now() + pause >= until) throw this.#givenUp(failure.error, facts);
        await waiting.wait(pause);
      }
    }
  }

  #givenUp(error: VeilgridError, facts: { readonly txId?: string }): VeilgridError {
    if (error.code === "tls-refused") return error;
    return serviceUnavailable(this.#connection.target, error.message, { ...error.facts, ...facts });
  }
}
