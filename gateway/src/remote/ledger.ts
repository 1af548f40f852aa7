import { VeilgridError, isVeilgridError } from "@veilgrid/protocol";
import { Journal, type Pending } from "../fabric/journal.js";
import { machinePatience, type Patience } from "../fabric/patience.js";
import { Replica } from "../fabric/replica.js";
import { ReplicatedLedger } from "../fabric/replicated.js";
import { machineWaiting } from "../fabric/waiting.js";
import { silent, type Log } from "../ports/log.js";
import { LevelStore, openDatabase, type Database } from "../store/level.js";
import { embeddedReader, ServiceBlocks } from "./blocks.js";
import { RemoteClient, type RemoteModules } from "./client.js";
import {
  LedgerConnection,
  REMOTE_DEADLINES,
  type LedgerEndpoint,
  type LedgerIdentity,
  type RemoteDeadlines,
} from "./connection.js";

export interface RemoteLedgerOptions {
  readonly endpoint: LedgerEndpoint;
  /** The organisations that this process may call as, one as a rule; the first one follows the blocks. */
  readonly identities: readonly [LedgerIdentity, ...LedgerIdentity[]];
  /** Folder of the replica and of the journal of transactions under way; it is made if it is not there. */
  readonly path: string;
  readonly deadlines?: Partial<RemoteDeadlines>;
  readonly log?: Log;
}

interface Parts {
  readonly database: Database;
  readonly connections: ReadonlyMap<string, LedgerConnection>;
  readonly replica: Replica;
  readonly modules: RemoteModules;
}

/** A service that is busy with endorsing gives a block a little later; there is no other to go to. */
const PATIENCE: Patience = { ...machinePatience, stall: 15_000, longestPause: 1000 };

/**
 * The ledger of a ledger service in another process (`LedgerService`): what is committed is followed into a copy of the
 * contracts' state on disk. A resolved `submit` is committed, and this process reads its effect; one that throws
 * `ledger-unavailable` with `facts.txId` may be committed, and the same call takes it up again.
 */
export class RemoteLedger extends ReplicatedLedger {
  readonly #parts: Parts;
  readonly #clients: ReadonlyMap<string, RemoteClient>;
  readonly #closing: { is: boolean };

  private constructor(parts: Parts, closing: { is: boolean }) {
    super(parts.replica);
    this.#parts = parts;
    this.#closing = closing;
    const { connections, modules } = parts;
    this.#clients = new Map(
      [...connections].map(([msp, connection]) => [msp, new RemoteClient(msp, connection, modules)]),
    );
  }

  /**
   * Opens the copy in a folder, brings transactions that an earlier process left to their outcome, and catches up.
   * @throws VeilgridError `store-in-use`, `store-unreadable`, `ledger-unavailable`, `access-refused`, `tls-refused`, and
   *   what following throws: `replica-damaged`, `ledger-forked`, `ledger-stalled`.
   */
  static async open({
    endpoint,
    identities,
    path,
    deadlines,
    log = silent,
  }: RemoteLedgerOptions): Promise<RemoteLedger> {
    const database = await openDatabase(path);
    const connections = new Map(identities.map((one) => [one.msp, new LedgerConnection(endpoint, one)]));
    try {
      const journal = await Journal.open(new LevelStore(database, "journal"));
      const replica = await Replica.open({
        store: new LevelStore(database, "replica"),
        sources: [new ServiceBlocks(connections.get(identities[0].msp) as LedgerConnection)],
        chaincode: "veilgrid",
        reader: embeddedReader,
        patience: PATIENCE,
        log,
      });
      const closing = { is: false };
      const modules: RemoteModules = {
        journal,
        waiting: machineWaiting,
        deadlines: { ...REMOTE_DEADLINES, ...deadlines },
        log,
        reached: (number) => replica.reached(number),
        isClosed: () => closing.is,
      };
      const parts = { database, connections, replica, modules };
      return await new RemoteLedger(parts, closing).#begin(identities[0].msp);
    } catch (error) {
      for (const connection of connections.values()) connection.close();
      await database.close();
      throw error;
    }
  }

  /** Settles what is left in the journal, then waits for all that the service has. */
  async #begin(msp: string): Promise<this> {
    const { modules, replica } = this.#parts;
    try {
      await Promise.all(modules.journal.takeAll().map((pending) => this.#takeUp(pending)));
      const height = await this.clientOf(msp).height();
      if (height > 0n) await replica.reached(height - 1n);
      return this;
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  async #takeUp(pending: Pending): Promise<void> {
    const { txId, msp } = pending;
    const { log } = this.#parts.modules;
    try {
      const validation = await this.clientOf(msp).takeUp(pending);
      log("info", "transaction-settled", { txId, caller: msp, validation });
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      log("warn", "transaction-unsettled", { txId, code: error.code, why: error.message });
    }
  }

  protected clientOf(msp: string): RemoteClient {
    const client = this.#clients.get(msp);
    if (client !== undefined) return client;
    throw new VeilgridError("no-client", `this process has no certificate of ${msp}`, {
      facts: { msp },
      blame: "caller",
    });
  }

  /** The calls that are under way are ended: their outcome is taken up by the next process. */
  protected async end(calls: () => Promise<void>): Promise<void> {
    this.#closing.is = true;
    const { database, connections } = this.#parts;
    for (const connection of connections.values()) connection.close();
    await this.replica.close();
    await calls();
    await database.close();
  }
}
