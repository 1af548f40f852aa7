import "./quiet.js";
import { createRequire } from "node:module";
import type {
  ChaincodeInputMessage,
  New,
  Protos,
  QueryResponseMessage,
  SignedProposalMessage,
  TimestampMessage,
} from "./messages.js";

// Narrow types of what this ledger uses of fabric-shim's internals, which have none of their own. The code that runs
// is fabric-shim's: its stub, its contract dispatcher, its iterators, the protobuf classes of the version it uses.

/** What a contract's `ctx.stub` is; the ledger looks only at the event it leaves. */
export interface Stub {
  readonly chaincodeEvent?: { getEventName(): string; getPayload_asU8(): Uint8Array };
}

/** What `Invoke` answers, as fabric-shim would send it to the peer. */
export interface ChaincodeResponse {
  readonly status: number;
  readonly message?: string;
  readonly payload?: Uint8Array;
}

/** A chaincode: one or more contracts behind fabric-shim's dispatcher. It keeps nothing between calls. */
export interface Chaincode {
  Invoke(stub: Stub): Promise<ChaincodeResponse>;
}

/** A class that extends `Contract` of fabric-contract-api. */
export type ContractClass = new () => object;

interface Serializers {
  readonly transaction: string;
  readonly serializers: Readonly<Record<string, unknown>>;
}

interface ShimLogger {
  silent: boolean;
  readonly exceptions: { unhandle(): void };
}

interface ShimLoggers {
  getLogger(name: string): ShimLogger;
}

/** The stub of fabric-shim. `handler` is whatever answers its requests: on Fabric the connection to the peer. */
type StubClass = new (
  handler: object,
  channel: string,
  txId: string,
  input: ChaincodeInputMessage,
  proposal: SignedProposalMessage,
) => Stub;

type IteratorClass = new (handler: object, channel: string, txId: string, response: QueryResponseMessage) => object;

const ofGateway = createRequire(import.meta.url);
// The shim has protobuf classes of a version of its own; only those fit its stub.
const ofShim = createRequire(ofGateway.resolve("fabric-shim"));
const ofProtos = createRequire(ofShim.resolve("@hyperledger/fabric-protos"));

export const { common, ledger, msp, peer } = ofShim("@hyperledger/fabric-protos") as Protos;
export const { Timestamp } = ofProtos("google-protobuf/google/protobuf/timestamp_pb.js") as {
  readonly Timestamp: New<TimestampMessage>;
};
export const ChaincodeStub = ofGateway("fabric-shim/lib/stub.js") as StubClass;
export const { StateQueryIterator } = ofGateway("fabric-shim/lib/iterators.js") as {
  readonly StateQueryIterator: IteratorClass;
};
const ChaincodeFromContract = ofGateway("fabric-shim/lib/contract-spi/chaincodefromcontract.js") as new (
  contracts: readonly ContractClass[],
  serializers: Serializers,
) => Chaincode;
const { JSONSerializer } = ofShim("fabric-contract-api") as { readonly JSONSerializer: unknown };

/**
 * One organisation's installation of contracts, behind fabric-shim's own dispatcher.
 * @throws Error of fabric-shim where a class is no contract.
 */
export function chaincodeOf(contracts: readonly ContractClass[]): Chaincode {
  // The dispatcher appends its system contract to the array it is given: that must not be the caller's.
  return new ChaincodeFromContract([...contracts], {
    transaction: "jsonSerializer",
    serializers: { jsonSerializer: JSONSerializer },
  });
}

/** The names under which the libraries log on every call: silenced, they cost a third less time. */
const TALKATIVE = [
  "lib/stub.js",
  "lib/chaincode.js",
  "lib/iterators.js",
  "contracts-spi/chaincodefromcontract.js",
  "contracts-spi/datamarshall.js",
  "./lib/contract.js",
  "./lib/jsontransactionserializer.js",
];

/**
 * Takes back what both libraries do to the process that loads them (fabric-shim 2.5.8, lib/logger.js, firstTime): they
 * log uncaught exceptions and unhandled rejections and let the process live on with whatever is broken.
 */
function restoreProcess(loggers: ShimLoggers): void {
  for (const name of TALKATIVE) loggers.getLogger(name).silent = true;
  loggers.getLogger("_").exceptions.unhandle();
}

restoreProcess(ofGateway("fabric-shim/lib/logger.js") as ShimLoggers);
restoreProcess(ofShim("fabric-contract-api/lib/logger.js") as ShimLoggers);
for (const listener of process.listeners("unhandledRejection")) {
  if (listener.name === "loggerUnhandledRejectionFn") process.off("unhandledRejection", listener);
}
