import { fileURLToPath } from "node:url";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { plain } from "../ledger/plain.js";
import type { Call } from "../ports/ledger.js";

// The messages of proto/ledger.proto as proto-loader gives and takes them: 64 bit numbers are decimal texts.

export interface CallMessage {
  readonly name: string;
  readonly args: readonly string[];
  readonly transient: Readonly<Record<string, Uint8Array>>;
}

export interface SubmitMessage {
  readonly nonce: Uint8Array;
  readonly call: CallMessage | null;
}

export interface OutcomeMessage {
  readonly blockNumber: string;
  readonly validation: string;
  readonly result: Uint8Array;
}

export interface ResultMessage {
  readonly result: Uint8Array;
}

export interface SettledMessage {
  readonly txId: string;
}

export interface HeightMessage {
  readonly height: string;
}

export interface BlocksMessage {
  readonly from: string;
}

export interface BlockMessage {
  readonly bytes: Uint8Array;
}

/** The service's methods. */
export interface LedgerMethods extends ServiceDefinition {
  readonly Submit: MethodDefinition<SubmitMessage, OutcomeMessage>;
  readonly Evaluate: MethodDefinition<CallMessage, ResultMessage>;
  readonly Settled: MethodDefinition<SettledMessage, OutcomeMessage>;
  readonly Height: MethodDefinition<object, HeightMessage>;
  readonly Blocks: MethodDefinition<BlocksMessage, BlockMessage>;
}

const FILE = fileURLToPath(new URL("../../../proto/ledger.proto", import.meta.url));

/** The service of proto/ledger.proto. */
export const ledgerMethods = loadSync(FILE, { longs: String, defaults: true })[
  "veilgrid.ledger.v1.Ledger"
] as ServiceDefinition as LedgerMethods;

/** Bytes of the largest message: a block's writes may pass 8 MiB (orderer.ts), one transaction's bulk 2 MiB each. */
export const LARGEST_MESSAGE = 64 * 1024 * 1024;

/** The trailer that carries an error with a code. */
export const ERROR_TRAILER = "veilgrid-error-bin";

/** A call as a message. */
export function toMessage({ name, args, transient = {} }: Call): CallMessage {
  return { name, args, transient };
}

/** A message as a call. */
export function toCall({ name, args, transient }: CallMessage): Call {
  const bulk = Object.entries(transient).map(([key, value]) => [key, plain(value)] as const);
  return { name, args, ...(bulk.length > 0 && { transient: Object.fromEntries(bulk) }) };
}
