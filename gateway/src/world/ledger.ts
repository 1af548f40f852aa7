import { rm } from "node:fs/promises";
import { packagedContract } from "@veilgrid/chaincode";
import { quorum, type VeilgridError, type VerifiedSignatures } from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { EndorserOptions } from "../ledger/endorser.js";
import type { PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import { isEmpty, type Database } from "../store/level.js";
import { keepProfile, profileFor } from "./connection.js";
import { CHANNEL, daMsp, runParamsBytes } from "./consortium.js";
import type { DataFolder } from "./folder.js";
import type { RunRecord } from "./plan.js";
import type { RunKeys } from "./secrets.js";
import { SteadyLedger } from "./steady.js";

/** What a run's ledger is opened with. */
export interface LedgerGround {
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly folder: DataFolder;
  /** What the roles keep. */
  readonly database: Database;
  readonly clock: Pick<Clock, "now">;
  readonly memory: VerifiedSignatures;
  readonly log: Log;
  /** The connection profile of a run on Fabric, where it is another than the folder's. */
  readonly profile: string | undefined;
}

/** A run's ledger, as the world drives it. */
export interface RunLedger {
  readonly ledger: PeerLedger;
  /** An aggregator's process goes down or comes back: its endorser in this process with it, its peer on Fabric not. */
  readonly follow: (msp: string, up: boolean) => void;
  /** Whose endorsement counts from now on, Q of them; on Fabric the organisations' operators define it. */
  readonly define: (msps: readonly string[]) => void;
  /** Whether an organisation endorses and may submit: on Fabric, whether the network has it. */
  readonly serves: (msp: string) => boolean;
  /** The ledger turned out to be this run's: how it was reached is kept. */
  readonly settle: () => Promise<void>;
  /** Why virtual time must not go on: the ledger takes no transactions. */
  readonly failure: () => VeilgridError | undefined;
}

/** Opens the ledger that a run's record names. @throws VeilgridError as either of them, `no-profile`, `bad-profile`. */
export function openRunLedger(ground: LedgerGround): Promise<RunLedger> {
  return ground.record.arguments.ledger === "fabric" ? onFabric(ground) : embedded(ground);
}

/** The embedded ledger with an endorser for each aggregator, of which a quorum has to agree. */
async function embedded({ record, keys, folder, clock, memory }: LedgerGround): Promise<RunLedger> {
  const { chaincodeOf } = await import("../ledger/fabric.js");
  const { EmbeddedLedger } = await import("../ledger/embedded.js");
  const params = runParamsBytes(record, keys);
  const endorserOf = (msp: string): EndorserOptions => ({
    msp,
    chaincode: chaincodeOf([packagedContract(params, memory)]),
  });
  const endorsers = keys.da.map((_, index) => endorserOf(daMsp(index)));
  const needed = quorum(keys.da.length);
  const options = { path: folder.ledger, channel: CHANNEL, endorsers, needed };
  const ledger = await EmbeddedLedger.open(options, { clock });
  return {
    ledger,
    follow: (msp, up) => {
      ledger.setAvailable(msp, up);
    },
    define: (msps) => {
      ledger.define(msps.map(endorserOf), quorum(msps.length));
    },
    // Its endorsers are in this process: whoever has a seat has one.
    serves: () => true,
    settle: () => Promise.resolve(),
    // Its endorsers are the aggregators: where too few are up, the world says so itself.
    failure: () => undefined,
  };
}

async function onFabric({ folder, database, log, profile }: LedgerGround): Promise<RunLedger> {
  const { readProfile } = await import("../fabric/profile.js");
  const file = await profileFor(folder, profile);
  const { clients, gateways } = await readProfile(file);
  // What was followed before the roles relied on any of it may have been another network's.
  if (await isEmpty(database)) await rm(folder.ledger, { recursive: true, force: true });
  const ledger = new SteadyLedger(await openPeers(file, folder.ledger, log));
  return {
    ledger,
    follow: () => undefined,
    define: () => undefined,
    serves: (msp) =>
      clients.some((client) => client.msp === msp) && gateways.some((peer) => peer.msp === msp && peer.endorses),
    settle: () => keepProfile(folder, file),
    failure: () => ledger.failure,
  };
}

/**
 * A Fabric channel, followed into a folder.
 * @throws VeilgridError `no-profile`, `bad-profile` and what opening a Fabric ledger throws.
 */
export async function openPeers(profile: string, path: string, log: Log): Promise<PeerLedger> {
  // Loaded when they are needed: an embedded run does without gRPC.
  const { readProfile } = await import("../fabric/profile.js");
  const { FabricLedger } = await import("../fabric/ledger.js");
  return FabricLedger.open({ profile: await readProfile(profile), path, log });
}
