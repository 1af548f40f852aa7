import type { StateReader } from "@veilgrid/protocol";
import { ledgerStopped } from "../ledger/errors.js";
import type { Caller, LedgerBlock, LedgerClient, LedgerEvent, PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Profile } from "./profile.js";

export interface FabricLedgerOptions {
  readonly profile: Profile;
  /** Folder of the replica and of the journal of transactions under way; it is made if it is not there. */
  readonly path: string;
  /** MSP whose peer is followed first; by default one that does not endorse, then the others. */
  readonly prefer?: string;
  readonly log?: Log;
}

/** A channel of a Fabric network: transactions go through its peers' gateways, what is committed is followed. */
export class FabricLedger implements PeerLedger {
  static open(options: FabricLedgerOptions): Promise<FabricLedger> {
    return Promise.reject(ledgerStopped(`${options.path} is not followed yet`));
  }

  as(caller: Caller): LedgerClient {
    const refuse = (): Promise<never> => Promise.reject(ledgerStopped(`${caller.msp} has no client yet`));
    return { submit: refuse, evaluate: refuse };
  }

  get state(): StateReader {
    return { get: () => Promise.reject(ledgerStopped("it is not followed yet")) };
  }

  get tip(): Uint8Array {
    throw ledgerStopped("it is not followed yet");
  }

  height(): Promise<bigint> {
    return Promise.reject(ledgerStopped("it is not followed yet"));
  }

  blocks(): AsyncIterable<LedgerBlock> {
    throw ledgerStopped("it is not followed yet");
  }

  events(): AsyncIterable<LedgerEvent> {
    throw ledgerStopped("it is not followed yet");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
