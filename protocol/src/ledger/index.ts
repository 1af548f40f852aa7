export { FAULT_RANGE, parseFaultKey, stateKey } from "./keys.js";
export type {
  BillRecord,
  ChainRecord,
  EpochEntry as EpochRecord,
  FaultRecord,
  MaskRecord,
  ReadingsRecord,
} from "./records.js";
export { faultRecord } from "./records.js";
export type { RefusalCode } from "./refusal.js";
export { memoReader, type StateReader, type StateWrite, type Transition } from "./state.js";
export {
  LedgerView,
  memberIndex,
  type CommittedBlock,
  type CommittedHeader,
  type CoveringEpoch,
  type Term,
} from "./view.js";
export { applySetup } from "./setup.js";
export { applyElection } from "./election.js";
export { applyBlock, checkBlock, type CheckedBlock } from "./transition.js";
export { countedReadings, distinctPrids, isComplete } from "./completeness.js";
export { priceBasis, type PriceBasis as DuePriceBasis } from "./rules/basis.js";
export { committedPeriod, type CommittedPeriod } from "./rules/period.js";
export { LEAST_AGGREGATORS, checkParamsLeaf, checkSuccession, newKeys } from "./succession.js";
export { checkPending, type PendingLeaf } from "./pending.js";
