import { Writer, type StateReader } from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { Call, Caller, Committed, LedgerBlock, LedgerClient, LedgerEvent, PeerLedger } from "../ports/ledger.js";
import { decodeBlock } from "./block.js";
import { Committer } from "./committer.js";
import { Endorsers } from "./endorser.js";
import type { EndorserOptions } from "./endorser.js";
import { ledgerStopped, mvccConflict } from "./errors.js";
import { eventsOf } from "./events.js";
import { identityOf } from "./identity.js";
import type { Identity } from "./identity.js";
import { Orderer } from "./orderer.js";
import { propose, transactionId } from "./proposal.js";
import type { Proposal } from "./proposal.js";
import { StateDatabase } from "./state.js";

export interface EmbeddedLedgerOptions {
  /** Folder of the database; it is made if it is not there. */
  readonly path: string;
  /** What contracts see as the channel's name. */
  readonly channel: string;
  readonly endorsers: readonly EndorserOptions[];
  /** How many of the endorsers have to agree on a transaction. */
  readonly needed: number;
}

export interface EmbeddedLedgerModules {
  /** Where the transactions' time stamps come from. */
  readonly clock: Pick<Clock, "now">;
  /** A transaction's nonce, never twice the same; the default counts at each height, so that a repeated run has the same ids. */
  readonly nonce?: () => Uint8Array;
}

/** A transaction that is in a block, valid or not. */
export interface Settled extends Committed {
  /** "VALID", "MVCC_READ_CONFLICT", ... as Fabric names them. */
  readonly validation: string;
}

const QUERY_NONCE = new Uint8Array(24);

/**
 * A ledger in this process: contracts run on fabric-shim's own stub for several endorsers, transactions are ordered
 * into blocks, checked against what they read, and kept in one database on disk. A block is there as a whole or not at
 * all, and a resolved `submit` survives a crash of process and machine.
 */
export class EmbeddedLedger implements PeerLedger {
  readonly #options: EmbeddedLedgerOptions;
  readonly #modules: EmbeddedLedgerModules;
  readonly #state: StateDatabase;
  readonly #endorsers: Endorsers;
  readonly #orderer: Orderer;
  readonly #identities = new Map<string, Identity>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;
  #nonces = { height: -1n, count: 0n };

  private constructor(options: EmbeddedLedgerOptions, modules: EmbeddedLedgerModules, state: StateDatabase) {
    this.#options = options;
    this.#modules = modules;
    this.#state = state;
    this.#endorsers = new Endorsers(options.endorsers, options.needed);
    this.#orderer = new Orderer(new Committer(state));
  }

  /** @throws VeilgridError `ledger-in-use`, `ledger-damaged`; `out-of-range` for a `needed` that the endorsers cannot give. */
  static async open(options: EmbeddedLedgerOptions, modules: EmbeddedLedgerModules): Promise<EmbeddedLedger> {
    const state = await StateDatabase.open(options.path);
    try {
      return new EmbeddedLedger(options, modules, state);
    } catch (error) {
      await state.close();
      throw error;
    }
  }

  as(caller: Caller): LedgerClient {
    const identity = this.#identity(caller.msp);
    return {
      submit: (call) => this.#track(this.#submit(identity, call)),
      evaluate: (call) => this.#track(this.#evaluate(identity, call)),
    };
  }

  /** The id of a caller's transaction with this nonce. */
  transactionId(caller: Caller, nonce: Uint8Array): string {
    return transactionId(nonce, this.#identity(caller.msp).creator);
  }

  /**
   * Endorses, orders and commits a call under a nonce of the caller's choice, whose transaction is known by its id from
   * before it is sent. Whoever asks again must look it up first (`settled`): here nothing is compared.
   * @throws VeilgridError as a client's `submit`, but for a conflict, which the outcome's `validation` tells.
   */
  submitAs(caller: Caller, call: Call, nonce: Uint8Array): Promise<Settled> {
    return this.#track(this.#order(this.#identity(caller.msp), call, () => nonce));
  }

  /** What became of a transaction that is in a block; undefined where none has this id. */
  settled(txId: string): Settled | undefined {
    this.#requireOpen();
    return this.#state.placed(txId);
  }

  /** The bytes of block `number`, whose hash is the tip once it is the last; undefined from the height on. */
  blockBytes(number: bigint): Uint8Array | undefined {
    this.#requireOpen();
    return this.#state.block(number);
  }

  /**
   * Takes an organisation's endorser down, or up again: what `ledger-unavailable` is about.
   * @throws VeilgridError `out-of-range` for an organisation without one.
   */
  setAvailable(msp: string, available: boolean): void {
    this.#endorsers.setAvailable(msp, available);
  }

  /**
   * Defines anew whose endorsement counts and how many have to agree, as organisations do when one of them joins or leaves.
   * @throws VeilgridError `out-of-range` for a `needed` that the endorsers cannot give.
   */
  define(endorsers: readonly EndorserOptions[], needed: number): void {
    this.#endorsers.define(endorsers, needed);
  }

  /** The contracts' committed state without a contract in between, for who trusts this process as its own peer. */
  get state(): StateReader {
    return { get: (key) => Promise.resolve(this.#state.current.get(key)?.value) };
  }

  height(): Promise<bigint> {
    return Promise.resolve(this.#state.tip.height);
  }

  /** Hash of the last block, 32 bytes (zero before the first): it stands for everything on the ledger. */
  get tip(): Uint8Array {
    return this.#state.tip.hash;
  }

  async *blocks(from: bigint): AsyncGenerator<LedgerBlock> {
    const height = await this.height();
    for (let number = from; number < height; number += 1n) {
      this.#requireOpen();
      yield decodeBlock(this.#state.block(number) as Uint8Array, number);
    }
  }

  events(from: bigint): AsyncIterable<LedgerEvent> {
    return eventsOf(this.blocks(from));
  }

  /** Waits for the calls that are under way; later ones are refused with `ledger-unavailable`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await this.#orderer.stop();
    await this.#state.close();
  }

  #identity(msp: string): Identity {
    const identity = this.#identities.get(msp) ?? identityOf(msp);
    this.#identities.set(msp, identity);
    return identity;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw ledgerStopped("it is closed");
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }

  /** Height and a count: no two transactions share both, since one that is committed has raised the height. */
  #nonce(): Uint8Array {
    const { height } = this.#state.tip;
    if (this.#nonces.height !== height) this.#nonces = { height, count: 0n };
    this.#nonces.count += 1n;
    return new Writer().u64(0n).u64(height).u64(this.#nonces.count).bytes();
  }

  #propose(identity: Identity, call: Call, nonce: () => Uint8Array): Proposal {
    this.#requireOpen();
    const { channel } = this.#options;
    return propose(call, { channel, identity, nonce: nonce(), time: this.#modules.clock.now() });
  }

  async #evaluate(identity: Identity, call: Call): Promise<Uint8Array> {
    // A query leaves nothing behind: it takes no number from the transactions'.
    const proposal = this.#propose(identity, call, () => QUERY_NONCE);
    const view = this.#state.snapshot();
    try {
      return await this.#endorsers.evaluate(proposal, view);
    } finally {
      await view.close();
    }
  }

  async #submit(identity: Identity, call: Call): Promise<Committed> {
    const nonce = this.#modules.nonce ?? (() => this.#nonce());
    const { txId, blockNumber, validation, result } = await this.#order(identity, call, nonce);
    if (validation !== "VALID") throw mvccConflict(txId, blockNumber, validation);
    return { txId, blockNumber, result };
  }

  async #order(identity: Identity, call: Call, nonce: () => Uint8Array): Promise<Settled> {
    const proposal = this.#propose(identity, call, nonce);
    const { txId } = proposal;
    const { height } = this.#state.tip;
    const view = this.#state.snapshot();
    const simulation = await this.#endorsers.endorse(proposal, view).finally(() => view.close());
    const { event, rwset, result } = simulation;
    const transaction = {
      txId,
      caller: identity.msp,
      call: { name: call.name, args: [...call.args] },
      ...(event === undefined ? {} : { event }),
    };
    const { blockNumber, validation } = await this.#orderer.order({ transaction, rwset, result, height });
    return { txId, blockNumber, validation, result };
  }
}
