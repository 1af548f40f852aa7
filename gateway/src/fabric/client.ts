import { mvccConflict } from "../ledger/errors.js";
import type { Call, Committed, LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import { organisationPatience, type Deadlines } from "./deadlines.js";
import { settleDifference } from "./differing.js";
import { endorsersOf } from "./endorsed.js";
import { faultOf, finalError, noChaincode, transactionInvalid, unavailable, type FaultKind } from "./errors.js";
import { failover, type Attempt } from "./failover.js";
import type { Freshness } from "./freshness.js";
import { callDigest, type Journal, type Pending } from "./journal.js";
import type { CallerPort, GatewayPort, Outcome, Proposed } from "./port.js";
import { Settlement } from "./settlement.js";
import type { Standing } from "./standing.js";
import { inSeconds, pauseAfter, type Waiting } from "./waiting.js";

/** What the clients of a process share. */
export interface ClientModules {
  readonly standing: Standing;
  readonly freshness: Freshness;
  readonly journal: Journal;
  readonly waiting: Waiting;
  readonly deadlines: Deadlines;
  readonly log: Log;
  /** How many organisations have to agree on a transaction. */
  readonly needed: number;
  /** Waits until this process's own copy of the ledger has a block. */
  readonly reached: (blockNumber: bigint) => Promise<void>;
}

/** Verdicts on a transaction that another one overtook: endorsed anew it may be valid. */
const OVERTAKEN = new Set(["MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"]);
/** How often a call is endorsed before it is told of a conflict: as often as eight in a row need on a quiet machine. */
const ENDORSEMENTS = 8;

/** How often no gateway may know the chaincode: peers that just came up learn of it from each other, within seconds. */
const UNDEPLOYED = 7;

/** Faults that are an answer, of one organisation or several. */
const HEARD: ReadonlySet<FaultKind> = new Set(["refused", "mismatch"]);

/** One organisation's client of a channel. */
export class FabricClient implements LedgerClient {
  readonly #caller: CallerPort;
  readonly #modules: ClientModules;
  readonly #settlement: Settlement;

  constructor(caller: CallerPort, modules: ClientModules) {
    this.#caller = caller;
    this.#modules = modules;
    this.#settlement = new Settlement(modules);
  }

  /** Its own organisation's gateway, then the others of organisations that endorse. */
  #gateways(): readonly GatewayPort[] {
    const { gateways, msp } = this.#caller;
    const own = gateways.filter((gateway) => gateway.msp === msp);
    return [...own, ...gateways.filter((gateway) => gateway.msp !== msp && gateway.endorses)];
  }

  #endorsers(): readonly GatewayPort[] {
    return this.#gateways().filter(({ endorses }) => endorses);
  }

  /**
   * Repeats an attempt with growing pauses until it is made or the contract is heard, or the time is over.
   * @throws VeilgridError `access-refused`, `tls-refused`, `too-large`, `no-chaincode`, `ledger-unavailable`.
   */
  async #persist<T>(until: number, attempt: () => Promise<Attempt<T>>): Promise<Attempt<T>> {
    const { waiting } = this.#modules;
    for (let failures = 0; ; failures += 1) {
      const made = await attempt();
      if (made.ok || HEARD.has(made.fault.kind)) return made;
      const error = finalError(made.fault, this.#caller.msp);
      if (error !== undefined) throw error;
      if (failures >= UNDEPLOYED && made.faults.every(({ kind }) => kind === "undeployed"))
        throw noChaincode(made.fault);
      const pause = pauseAfter(failures, waiting);
      if (waiting.now() + pause >= until) throw unavailable(made.fault);
      await waiting.wait(pause);
    }
  }

  async evaluate(call: Call): Promise<Uint8Array> {
    const { waiting, deadlines, freshness } = this.#modules;
    const until = waiting.now() + deadlines.overall;
    const { bytes } = await this.#caller.propose(call);
    const ask = async (gateway: GatewayPort): Promise<Uint8Array> => {
      await freshness.of(gateway);
      return gateway.evaluate(bytes);
    };
    const made = await this.#persist(until, () => failover("evaluate", this.#gateways(), ask, this.#modules));
    if (made.ok) return made.value;
    throw made.fault.refusal ?? unavailable(made.fault);
  }

  /** How many blocks the channel has, by one peer's word. @throws VeilgridError as `evaluate`. */
  async height(): Promise<bigint> {
    const until = this.#modules.waiting.now() + this.#modules.deadlines.open;
    const ask = (gateway: GatewayPort): Promise<bigint> => gateway.height();
    const made = await this.#persist(until, () => failover("look-up", this.#gateways(), ask, this.#modules));
    if (made.ok) return made.value;
    throw unavailable(made.fault);
  }

  async submit(call: Call): Promise<Committed> {
    const { waiting, deadlines, journal } = this.#modules;
    const until = waiting.now() + deadlines.overall;
    const digest = callDigest(this.#caller.msp, call);
    let pending = journal.take(digest);
    for (let endorsements = 0; ; endorsements += 1) {
      const maybeSent = pending !== undefined;
      pending ??= await this.#endorsed(call, digest, until);
      const outcome = await this.#settlement.settle({ pending, gateways: this.#gateways(), until, maybeSent });
      if (outcome.validation === "VALID") return this.#committed(pending, outcome);
      // What an earlier call left behind may be invalid for reasons that are past.
      if (!maybeSent && !OVERTAKEN.has(outcome.validation)) throw transactionInvalid(pending.txId, outcome);
      if (endorsements >= ENDORSEMENTS || waiting.now() >= until) {
        throw mvccConflict(pending.txId, outcome.blockNumber, outcome.validation);
      }
      await waiting.wait(pauseAfter(endorsements, waiting));
      pending = undefined;
    }
  }

  /** Follows to its end what an earlier process, or an earlier call, left. */
  takeUp(pending: Pending): Promise<Outcome> {
    const { waiting, deadlines } = this.#modules;
    const until = waiting.now() + deadlines.open;
    return this.#settlement.settle({ pending, gateways: this.#gateways(), until, maybeSent: true });
  }

  async #committed({ txId, bytes }: Pending, { blockNumber }: Outcome): Promise<Committed> {
    const { reached, log } = this.#modules;
    // It is committed, whatever becomes of the copy: a caller who is told of an error would submit it again.
    await reached(blockNumber).catch((error: unknown) => {
      log("error", "replica-behind", { txId, blockNumber: blockNumber.toString(), why: String(error) });
    });
    return { txId, blockNumber, result: this.#caller.resultOf(bytes) };
  }

  /** Has a call endorsed, and writes the signed transaction down. */
  async #endorsed(call: Call, digest: string, until: number): Promise<Pending> {
    const proposal = await this.#caller.propose(call);
    const bytes = await this.#caller.sign(await this.#endorse(proposal, until));
    const pending = { txId: proposal.txId, msp: this.#caller.msp, call: digest, bytes };
    await this.#modules.journal.add(pending);
    return pending;
  }

  /**
   * Whom a gateway is to ask: its own organisation and others that did not fail lately. Left alone (undefined), it would
   * choose a frozen one again and again, and wait for it each time.
   */
  #chosen({ msp }: GatewayPort, endorsers: readonly GatewayPort[]): readonly string[] | undefined {
    const { standing, needed } = this.#modules;
    const away = new Set(endorsers.map((endorser) => endorser.msp).filter((other) => standing.isAway(other)));
    if (away.size === 0 || away.has(msp) || endorsers.length - away.size < needed) return undefined;
    const others = endorsers.map((endorser) => endorser.msp).filter((other) => other !== msp && !away.has(other));
    return [msp, ...others].slice(0, needed);
  }

  /**
   * Leaves the choice of organisations to a gateway. One that waited for an organisation in vain does not say so: it took
   * its time, and the transaction has others' endorsements.
   */
  async #endorseFreely(
    gateway: GatewayPort,
    { bytes }: Proposed,
    endorsers: readonly GatewayPort[],
  ): Promise<Uint8Array> {
    const { waiting, deadlines, standing, log } = this.#modules;
    const start = waiting.now();
    const transaction = await gateway.endorse(bytes);
    const took = waiting.now() - start;
    if (took < organisationPatience(deadlines)) return transaction;
    const heard = new Set(endorsersOf(transaction));
    const silent = endorsers.map(({ msp }) => msp).filter((msp) => !heard.has(msp));
    if (silent.length === 0) return transaction;
    for (const msp of silent) standing.failed(msp);
    log("warn", "endorsed-slowly", { gateway: gateway.msp, without: silent.join(","), seconds: inSeconds(took) });
    return transaction;
  }

  async #endorse(proposal: Proposed, until: number): Promise<Uint8Array> {
    const { freshness, needed } = this.#modules;
    const endorsers = this.#endorsers();
    const ask = async (gateway: GatewayPort): Promise<Uint8Array> => {
      await freshness.of(gateway);
      const chosen = this.#chosen(gateway, endorsers);
      if (chosen === undefined) return this.#endorseFreely(gateway, proposal, endorsers);
      return gateway.endorse(proposal.bytes, chosen).catch((error: unknown) => {
        if (faultOf("endorse", gateway.msp, error).kind !== "unavailable") throw error;
        return this.#endorseFreely(gateway, proposal, endorsers);
      });
    };
    const made = await this.#persist(until, () => failover("endorse", endorsers, ask, this.#modules));
    if (made.ok) return made.value;
    return settleDifference({ proposal, endorsers, needed }, this.#modules);
  }
}
