export { chaincodeOf, type Chaincode, type ContractClass } from "./ledger/fabric.js";
export type { EndorserOptions } from "./ledger/endorser.js";
export { EmbeddedLedger, type EmbeddedLedgerModules, type EmbeddedLedgerOptions } from "./ledger/embedded.js";
export { contractError, type ContractError } from "./ledger/errors.js";
export { exportLedger } from "./ledger/export.js";
export { withHistory, type HistoricLedger } from "./ledger/history.js";
export { LedgerFile } from "./ledger/ledgerfile.js";
export { FabricLedger, type FabricLedgerOptions } from "./fabric/ledger.js";
export { peerStandings, type Hashes, type PeerStanding, type PeerStandings } from "./fabric/peers.js";
export { readProfile, type Profile, type ProfileClient, type ProfileGateway } from "./fabric/profile.js";
export { readReadings } from "./input/readings.js";
export { checkReadings, type ReadingsSummary } from "./input/check.js";
export type { ReadingsOptions } from "./input/options.js";
export type { ReadingsTable } from "./input/table.js";
export { profileHouseholds, type ProfileOptions } from "./input/profile.js";
export { parsePolicy, type PolicyOptions } from "./input/prices.js";
export type { PricePolicy } from "./input/policy.js";
export { importPrices, priceCsv, type PriceImport, type PriceSource } from "./input/priceimport.js";
export { parseFault, parseFaults, type Fault } from "./input/faults.js";
export { SeededRandom } from "./random.js";
export { ContentFolder } from "./ipfs/content-folder.js";
export { cidText, parseCid, rawAddress } from "./ipfs/address.js";
export type { ContentAddress, ContentStore } from "./ports/content.js";
export type { Enrolment, KeyStore } from "./ports/keystore.js";
export { newCustomerKey, type CustomerKey, type SeededBytes } from "./bill/encryption.js";
export { billLines, periodLines, writeLines, type BillResult, type CompleteMeters } from "./bill/results.js";
export { Kgcbp, type KgcbpModules, type KgcbpOptions } from "./kgcbp/kgcbp.js";
export type { CaseMeter, CaseStatus, CaseView } from "./kgcbp/case-desk.js";
export { meterLogJson, parseMeterLog, type LoggedPeriod, type MeterLog } from "./input/meter-log.js";
export { StoredKeys } from "./kgcbp/keys.js";
export { SealedStore } from "./kgcbp/sealed-store.js";
export { Vault, type Shelf } from "./kgcbp/vault.js";
export { ControlCenter, type CcModules, type CcOptions } from "./cc/cc.js";
export { CommittedMonth } from "./customer/committed-month.js";
export { ReceiptCourt, type Receipted, type ReceiptJudgement } from "./customer/receipts.js";
export { Customer, type CustomerOptions, type VerifiedBill } from "./customer/customer.js";
export { Aggregator, type AggregatorOptions } from "./da/aggregator.js";
export type { AggregatorModules } from "./da/parts.js";
export type { Conduct } from "./da/proposer.js";
export type { HeldReading } from "./da/pool.js";
export { Scheduler } from "./sim/scheduler.js";
export { SimNetwork, type DropRule, type Latency, type Packet } from "./sim/network.js";
export { LevelStore, openDatabase, type Database, type LevelStoreOptions } from "./store/level.js";
export { MemoryStore } from "./store/memory.js";
export {
  decodeBundleAck,
  decodeResponse,
  decodeTransaction,
  encodeAccepted,
  encodeBodiesWish,
  encodeBundle,
  encodeBundleAck,
  encodeIncomplete,
  encodeKeepLists,
  encodeListsWish,
  encodeTransaction,
  type BundleAck,
  type PendingTransaction,
  type PridLists,
  type Response,
} from "./transport/envelopes.js";
export { encodeDeliveryWish, type DeliveryWish } from "./transport/delivery-wish.js";
export { Authority, type Identity, type PEM, type Subject } from "./grpc/authority.js";
export { LedgerService, type LedgerServiceModules, type LedgerServiceOptions } from "./remote/service.js";
export { ScaledClock, SystemClock, type TimeScale } from "./process/clock.js";
export { RemoteLedger, type RemoteLedgerOptions } from "./remote/ledger.js";
export type { LedgerEndpoint, LedgerIdentity, RemoteDeadlines } from "./remote/connection.js";
export type {
  Call,
  Caller,
  Committed,
  LedgerBlock,
  LedgerClient,
  LedgerEvent,
  LedgerTransaction,
  PeerLedger,
  Write,
} from "./ports/ledger.js";
export type { Clock, Timer } from "./ports/clock.js";
export type { Random } from "./ports/random.js";
export { silent, type Level, type Log } from "./ports/log.js";
export type { Change, Store } from "./ports/store.js";
export type { SignatureCheck, Verifier } from "./ports/verifier.js";
export { VerificationPool, type VerificationOptions } from "./verification/pool.js";
export type { Handler, Method, Transport } from "./ports/transport.js";
export { Audit, type AuditReport } from "./audit/audit.js";
export { replay, ReplayedState } from "./audit/replay.js";
export { DataFolder } from "./world/folder.js";
export { type RunArguments, type RunInput, type RunRecord } from "./world/plan.js";
export { Run, type OpenOptions } from "./world/run.js";
export type { HomeKeys, RunKeys, SigningKey } from "./world/secrets.js";
export type { MeterWish, RunCustomer } from "./world/run-meters.js";
export type { ChangePreview, ChangeRequest } from "./kgcbp/change-request.js";
export type { ChangeResult, MeterStanding } from "./kgcbp/change-desk.js";
export { World, type OnBlock, type Stop } from "./world/world.js";
export { conclude, keptOutcome, type Outcome } from "./world/outcome.js";
export { proposeParams, type RunChange } from "./world/successor.js";
export { Seats, type Party } from "./world/seats.js";
export { DEADLINES } from "./grpc/deadlines.js";
export type { Endpoint } from "./grpc/endpoint.js";
export type { TransportCode } from "./grpc/errors.js";
export { LIMITS, type Limits } from "./grpc/limits.js";
export { MeterTransport, type MeterTransportOptions } from "./grpc/meter-transport.js";
export type { CallRecord, TransportMetrics } from "./grpc/metrics.js";
export { GrpcServer, type GrpcServerModules, type GrpcServerOptions, type ServerTls } from "./grpc/server.js";
export type { Audience } from "./grpc/services.js";
export { GrpcTransport, type GrpcTransportOptions } from "./grpc/transport.js";
export { makeConsortium } from "./local/making.js";
export type { Overview } from "./local/overview.js";
export { isClean, type Reckoning } from "./local/reckoning.js";
export { Running, type RunningModules, type RunningOptions, type RunningReport } from "./local/running.js";
export { lastPeriodsOf, TIME_LAPSE, type ConsortiumShape } from "./local/shape.js";
export { LocalConsortium } from "./local/up.js";
export type { SeenBlock, Standing } from "./local/watch.js";
