import type { LedgerEvent } from "../ports/ledger.js";
import type { Handler } from "../ports/transport.js";

/** A role as a service runs it. */
export interface Role {
  readonly handle: Handler;
  /** Takes up everything that store and ledger show as due. */
  start(): Promise<void>;
  /** Cancels its timers. */
  stop(): void;
  onLedgerEvent(event: LedgerEvent): Promise<void>;
}
