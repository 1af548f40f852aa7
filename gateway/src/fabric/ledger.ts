import { isVeilgridError, quorum } from "@veilgrid/protocol";
import type { ChannelBlocks } from "../ports/ledger.js";
import { silent, type Log } from "../ports/log.js";
import { LevelStore, openDatabase, type Database } from "../store/level.js";
import { FabricClient, type ClientModules } from "./client.js";
import { DEADLINES, endorseDeadline, type Deadlines } from "./deadlines.js";
import { Freshness } from "./freshness.js";
import { Gateways } from "./gateways.js";
import { Journal, type Pending } from "./journal.js";
import type { Profile } from "./profile.js";
import { Replica } from "./replica.js";
import { ReplicatedLedger } from "./replicated.js";
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
export class FabricLedger extends ReplicatedLedger {
  readonly #parts: Parts;
  readonly #clients = new Map<string, FabricClient>();

  private constructor(parts: Parts) {
    super(parts.replica);
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
      const height = await this.clientOf(gateways.anyone).height();
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
      const { validation, blockNumber } = await this.clientOf(msp).takeUp(pending);
      log("info", "transaction-settled", { txId, caller: msp, validation, blockNumber: blockNumber.toString() });
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      journal.leave(pending);
      log("warn", "transaction-unsettled", { txId, caller: msp, code: error.code });
    }
  }

  protected clientOf(msp: string): FabricClient {
    const { gateways, modules } = this.#parts;
    const client = this.#clients.get(msp) ?? new FabricClient(gateways.caller(msp), modules);
    this.#clients.set(msp, client);
    return client;
  }

  /** The blocks as the channel has them, for exports. */
  channel(): Promise<ChannelBlocks> {
    return Promise.resolve(this.replica.channel);
  }

  /** The calls that are under way are waited for, each to its deadline at most. */
  protected async end(calls: () => Promise<void>): Promise<void> {
    const { database, gateways } = this.#parts;
    await calls();
    await this.replica.close();
    gateways.close();
    await database.close();
  }
}
