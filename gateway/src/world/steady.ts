import { isVeilgridError, type StateReader, type VeilgridError } from "@veilgrid/protocol";
import type { Caller, LedgerBlock, LedgerClient, LedgerEvent, PeerLedger } from "../ports/ledger.js";

/** What the contract says no to, or is endorsed anew, is the roles' affair: they look at the ledger and try again. */
const ROLES_AFFAIR = ["endorse-refused", "mvcc-conflict"];

/**
 * A ledger whose failing the world hears of. The roles take any failure for one that time heals, and wait; but their time
 * is virtual and would run through all the windows of a run while the peers of real time are away.
 */
export class SteadyLedger implements PeerLedger {
  readonly #ledger: PeerLedger;
  #failure: VeilgridError | undefined;

  constructor(ledger: PeerLedger) {
    this.#ledger = ledger;
  }

  /** Why the ledger took a transaction no more, although it had been tried again and elsewhere. */
  get failure(): VeilgridError | undefined {
    return this.#failure;
  }

  as(caller: Caller): LedgerClient {
    const client = this.#ledger.as(caller);
    return {
      submit: (call) => client.submit(call).catch((error: unknown) => this.#note(error)),
      evaluate: (call) => client.evaluate(call),
    };
  }

  #note(error: unknown): never {
    if (isVeilgridError(error) && !ROLES_AFFAIR.includes(error.code)) this.#failure ??= error;
    throw error;
  }

  get state(): StateReader {
    return this.#ledger.state;
  }

  get tip(): Uint8Array {
    return this.#ledger.tip;
  }

  height(): Promise<bigint> {
    return this.#ledger.height();
  }

  blocks(from: bigint): AsyncIterable<LedgerBlock> {
    return this.#ledger.blocks(from);
  }

  events(from: bigint): AsyncIterable<LedgerEvent> {
    return this.#ledger.events(from);
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}
