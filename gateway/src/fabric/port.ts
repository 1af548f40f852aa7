import type { Call } from "../ports/ledger.js";

/** A transaction's id and its signed proposal, serialized (`gateway.ProposedTransaction`). */
export interface Proposed {
  readonly txId: string;
  readonly bytes: Uint8Array;
}

/** Where a transaction stands on the channel, and the peers' verdict ("VALID", "MVCC_READ_CONFLICT", ...). */
export interface Outcome {
  readonly blockNumber: bigint;
  readonly validation: string;
}

/**
 * The gateway of one organisation's peer, as one caller uses it. Every call ends by its deadline, and throws what
 * fabric-gateway throws: `faultOf` reads it.
 */
export interface GatewayPort {
  /** The organisation. */
  readonly msp: string;
  /** Whether the organisation endorses. */
  readonly endorses: boolean;
  /** The answer to a query. */
  evaluate(proposal: Uint8Array): Promise<Uint8Array>;
  /**
   * Has the proposal endorsed, by these organisations or by those that the gateway chooses.
   * @returns the transaction, unsigned (`gateway.PreparedTransaction`).
   */
  endorse(proposal: Uint8Array, organisations?: readonly string[]): Promise<Uint8Array>;
  /** Hands a signed transaction to the ordering service. */
  order(transaction: Uint8Array): Promise<void>;
  /** Waits until the peer has committed the transaction. */
  outcome(txId: string): Promise<Outcome>;
  /** Whether the peer has the transaction on its ledger now. */
  lookUp(txId: string): Promise<Outcome | undefined>;
  /** How many blocks the peer has. */
  height(): Promise<bigint>;
}

/** A caller: an organisation's client with its certificate and key, and the gateways that it may use. */
export interface CallerPort {
  readonly msp: string;
  readonly gateways: readonly GatewayPort[];
  /** A signed proposal with an id of its own. */
  propose(call: Call): Promise<Proposed>;
  /** Signs an endorsed transaction: the bytes that may be ordered, and ordered again. */
  sign(transaction: Uint8Array): Promise<Uint8Array>;
  /** What the contract answered, out of an endorsed transaction. */
  resultOf(transaction: Uint8Array): Uint8Array;
}
