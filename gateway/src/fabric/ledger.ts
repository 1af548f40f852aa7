import { isVeilgridError, quorum, type StateReader } from "@veilgrid/protocol";
import { ledgerStopped } from "../ledger/errors.js";
import type { Caller, ChannelBlocks, LedgerBlock, LedgerClient, LedgerEvent, PeerLedger } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import { LevelStore, openDatabase, type Database } from "../store/level.js";
import { FabricClient, type ClientModules } from "./client.js";
import { DEADLINES, endorseDeadline, type Deadlines } from "./deadlines.js";
import { Freshness } from "./freshness.js";
import { Gateways } from "./gateways.js";
import { Journal, type Pending } from "./journal.js";
import type { Profile } from "./profile.js";
import { Replica } from "./replica.js";
import { Standing } from "./standing.js";
import { machineWaiting } from "./waiting.js";

export interface FabricLedgerOptions {
  readonly profile: Profile;
  /** Folder of the replica and of the journal of transactions under way; it is made if it is not there. */
  readonly path: string;
  /** MSP whose peer is followed first; by default one that does not endorse, then the others. */
  readonly prefer?: string;
  readonly deadlines?: Partial<Deadlines>;
  readonly log?: Log;
}

/** What a ledger is made of. */
interface Parts {
  readonly database: Database;
  readonly gateways: Gateways;
  readonly replica: Replica;
  readonly modules: ClientModules;
}

/**
 * A channel of a Fabric network: transactions go through its peers' gateways, what is committed is followed from one of
 * its peers into a copy of the contracts' state on disk. A resolved `submit` is committed, and this process reads its
 * effect; one that throws `ledger-unavailable` with `facts.txId` may be committed, and the same call takes it up again.
 */
export class FabricLedger implements PeerLedger {
  readonly #parts: Parts;
  readonly #clients = new Map<string, FabricClient>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Opens the copy in a folder, brings transactions that an earlier process left to their outcome, and catches up with the
   * channel.
   * @throws VeilgridError `store-in-use`, `store-unreadable`, `bad-credentials`, `ledger-unavailable`, `access-refused`,
   *   `tls-refused`, and what following throws: `replica-damaged`, `ledger-forked`, `ledger-stalled`.
   */
  static async open({ profile, path, prefer, deadlines, log = silent }: FabricLedgerOptions): Promise<FabricLedger> {
    const limits = { ...DEADLINES, endorse: endorseDeadline(profile.endorsementSeconds), ...deadlines };
    const gateways = await Gateways.open(profile, limits);
    const database = await openDatabase(path);
    try {
      const journal = await Journal.open(new LevelStore(database, "journal"));
      const store = new LevelStore(database, "replica");
      const replica = await Replica.open({
        store,
        sources: gateways.sources(prefer),
        chaincode: profile.chaincode,
        log,
      });
      const modules: ClientModules = {
        standing: new Standing(machineWaiting),
        freshness: new Freshness(),
        journal,
        waiting: machineWaiting,
        deadlines: limits,
        log,
        needed: quorum(profile.gateways.filter(({ endorses }) => endorses).length),
        reached: (number) => replica.reached(number),
      };
      return await new FabricLedger({ database, gateways, replica, modules }).#begin();
    } catch (error) {
      gateways.close();
      await database.close();
      throw error;
    }
  }

  /** Settles what is left in the journal, then waits for all that the channel has. */
  async #begin(): Promise<this> {
    const { modules, replica, gateways } = this.#parts;
    try {
      await Promise.all(modules.journal.takeAll().map((pending) => this.#takeUp(pending)));
      const height = await this.#client(gateways.anyone).height();
      await replica.reached(height - 1n);
      return this;
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  async #takeUp(pending: Pending): Promise<void> {
    const { txId, msp } = pending;
    const { log, journal } = this.#parts.modules;
    try {
      const { validation, blockNumber } = await this.#client(msp).takeUp(pending);
      log("info", "transaction-settled", { txId, caller: msp, validation, blockNumber: blockNumber.toString() });
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      journal.leave(pending);
      log("warn", "transaction-unsettled", { txId, caller: msp, code: error.code });
    }
  }

  #client(msp: string): FabricClient {
    const { gateways, modules } = this.#parts;
    const client = this.#clients.get(msp) ?? new FabricClient(gateways.caller(msp), modules);
    this.#clients.set(msp, client);
    return client;
  }

  /**
   * The client of an organisation, with the certificate and key that the profile has for it.
   * @throws VeilgridError `no-client`.
   */
  as({ msp }: Caller): LedgerClient {
    const client = this.#client(msp);
    return {
      submit: (call) => this.#track(() => client.submit(call)),
      evaluate: (call) => this.#track(() => client.evaluate(call)),
    };
  }

  get state(): StateReader {
    return this.#parts.replica.state;
  }

  get tip(): Uint8Array {
    return this.#parts.replica.tip;
  }

  height(): Promise<bigint> {
    return Promise.resolve(this.#parts.replica.height);
  }

  blocks(from: bigint): AsyncIterable<LedgerBlock> {
    return this.#parts.replica.blocks(from);
  }

  events(from: bigint): AsyncIterable<LedgerEvent> {
    return this.#parts.replica.events(from);
  }

  /** The blocks as the channel has them, for exports. */
  channel(): Promise<ChannelBlocks> {
    return Promise.resolve(this.#parts.replica.channel);
  }

  /** Waits for the calls that are under way, each to its deadline at most; later ones are refused with `ledger-unavailable`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { database, gateways, replica } = this.#parts;
    await Promise.allSettled(this.#underWay);
    await replica.close();
    gateways.close();
    await database.close();
  }

  #track<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(ledgerStopped("it is closed"));
    const work = call();
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }
}
