import type { LedgerView, VerifiedSignatures } from "@veilgrid/protocol";
import type { LedgerClient } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Store } from "../ports/store.js";
import type { Transport } from "../ports/transport.js";
import type { SystemClock } from "../process/clock.js";
import type { Database } from "../store/level.js";
import type { ServiceNumbers } from "./numbers.js";

/** What a role of a service is made from. */
export interface Ground {
  /** Its signing key, and those of other versions of the parameter set. */
  readonly secrets: readonly [Uint8Array, ...Uint8Array[]];
  readonly clock: SystemClock;
  readonly transport: Transport;
  readonly database: Database;
  /** A part of the database by its name, synced; a write that fails ends the process. */
  readonly store: (name: string) => Store;
  readonly ledger: LedgerClient;
  readonly view: LedgerView;
  /** The consortium id, 32 bytes. */
  readonly consortium: Uint8Array;
  readonly random: Random;
  readonly memory: VerifiedSignatures;
  readonly log: Log;
  readonly numbers: ServiceNumbers;
  /** What is closed when the service is, the last first. */
  readonly onClose: (close: () => Promise<void> | void) => void;
}
