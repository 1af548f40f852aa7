import type { StateReader } from "@veilgrid/protocol";

/** Who calls: the organisation and, on Fabric, the certificate and key behind it. */
export interface Caller {
  readonly msp: string;
}

/** A transaction's function, arguments, and the bulk bytes that travel as transient data. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly transient?: Readonly<Record<string, Uint8Array>>;
}

/** Where a valid transaction stands on the ledger. */
export interface Committed {
  readonly txId: string;
  readonly blockNumber: bigint;
  readonly result: Uint8Array;
}

/** A chaincode event of a valid transaction. */
export interface LedgerEvent {
  readonly blockNumber: bigint;
  readonly txId: string;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** One key that a transaction wrote; without a value it was deleted. */
export interface Write {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** A transaction as the ledger's blocks keep it: enough to re-verify everything without any state database. */
export interface LedgerTransaction {
  readonly txId: string;
  readonly caller: string;
  readonly call: { readonly name: string; readonly args: readonly string[] };
  readonly writes: readonly Write[];
  readonly event?: { readonly name: string; readonly payload: Uint8Array };
  /** "VALID", "MVCC_READ_CONFLICT", ... as Fabric names them. */
  readonly validation: string;
}

export interface LedgerBlock {
  readonly number: bigint;
  readonly transactions: readonly LedgerTransaction[];
}

/** The ledger as one organisation uses it. */
export interface LedgerClient {
  /**
   * Endorse, order, commit; resolved when committed.
   * @throws VeilgridError `endorse-refused` (the contract said no: facts.contract has its code), `endorse-differs`, `mvcc-conflict`, `ledger-unavailable`.
   */
  submit(call: Call): Promise<Committed>;
  /** Runs a query and throws its writes away. @throws VeilgridError as submit's endorsement. */
  evaluate(call: Call): Promise<Uint8Array>;
}

/** The blocks of a Fabric channel as it has them. */
export interface ChannelBlocks {
  /** Whose transactions are looked at. */
  readonly chaincode: string;
  /** The serialized `common.Block`s from `from` up to the present height. */
  rawBlocks(from: bigint): AsyncIterable<Uint8Array>;
}

/** A ledger: embedded in this process, or a Fabric channel. */
export interface Ledger {
  as(caller: Caller): LedgerClient;
  /** Number of blocks, which is also the number of the next one. */
  height(): Promise<bigint>;
  /** The blocks from `from` up to the present height. */
  blocks(from: bigint): AsyncIterable<LedgerBlock>;
  /** The events of the blocks from `from` up to the present height, in order. */
  events(from: bigint): AsyncIterable<LedgerEvent>;
  /** The blocks as Fabric has them, of a ledger that is a channel of it. */
  channel?(): Promise<ChannelBlocks | undefined>;
  close(): Promise<void>;
}

/** A ledger with a copy of its state at hand: an organisation's own peer, or what follows one. */
export interface PeerLedger extends Ledger {
  /** The contracts' committed state without a contract in between, for who trusts this peer. */
  readonly state: StateReader;
  /** Hash of the last block, 32 bytes (zero before the first). */
  readonly tip: Uint8Array;
}
