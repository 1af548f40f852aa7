export * from "./errors.js";
export * from "./bytes.js";
export type { Codec } from "./codec.js";
export {
  FIRST_MONTH,
  LAST_MONTH,
  addPeriods,
  checkPeriod,
  comparePeriods,
  monthAt,
  monthCloses,
  monthEnd,
  monthName,
  monthOf,
  monthStart,
  nextPeriod,
  periodAt,
  periodEnd,
  periodRange,
  periodStart,
  periodsBetween,
  periodsInMonth,
  window,
} from "./calendar.js";
export type { Window, WindowParams } from "./calendar.js";
export { GROUP_ORDER, H1, H2, H3, scalarBytes, scalarOf, sha256 } from "./hash.js";
export { RING, add, fromSigned, sub, sum, toSigned } from "./ring.js";
export { expand } from "./prg.js";
export { GGM_DEPTH, leaf, leaves } from "./ggm.js";
export { deriveSeeds, ratchet, type Seeds } from "./keys.js";
export type { EngineName, SchnorrEngine } from "./schnorr/engine.js";
export { availableEngines, schnorr, useEngine } from "./schnorr/choice.js";
export { nobleEngine } from "./schnorr/noble.js";
export { wasmEngine } from "./schnorr/wasm.js";
export { nativeEngine } from "./schnorr/native.js";
export { pridOf, readingSecret } from "./prid.js";
export { VerifiedSignatures } from "./memory.js";
export { sigMessage, signBody, verifyBody, type SigKind } from "./sig.js";
export { BloomFilter, bloomBytes, type BloomShape } from "./bloom.js";
export { MerkleTree, merklePath, merkleRoot, verifyPath } from "./merkle.js";
export { evenScalar, pridSum, pridSumFromScalars, pridSumFromSecrets, setCommitment } from "./prids.js";
export { splitReading, unmask, type Halves } from "./split.js";
export { NO_PERIOD, PERIOD_BYTES, isMonth, isPeriod, samePeriod, type Period } from "./messages/period.js";
export type { StructCodec } from "./messages/struct.js";
export { elements, isZero, strictlyAscending } from "./messages/vectors.js";
export { billHash, blockHash, caseId, caseKey, caseRef, consortiumId, readingHash } from "./messages/hashes.js";
export { maxFaulty, quorum } from "./messages/quorum.js";
export { SIG_BYTES, decodeLeaf, encodeLeaf, type Leaf } from "./messages/leaf.js";
export { decodeSigned, encodeSigned, signStruct, verifySigned, type Signed } from "./messages/signed.js";
export {
  daAddress,
  paramsCodec,
  paramsDefaults,
  type CompletenessMode,
  type Member,
  type Params,
  type ParamsDefaults,
  type ReleaseMode,
} from "./messages/params.js";
export { decodeParamsLeaf, encodeParamsLeaf, type ParamsLeaf } from "./messages/params-leaf.js";
export { epochCodec, epochHead, type Epoch, type EpochEntry, type EpochHead } from "./messages/epoch.js";
export {
  READING_BYTES,
  READING_LEAF_BYTES,
  SIGNED_READING_BYTES,
  readingCodec,
  readingLeaf,
  readingOfLeaf,
  type Reading,
} from "./messages/reading.js";
export { ACK_BYTES, MAX_BUNDLE, ackCodec, type Ack } from "./messages/ack.js";
export {
  decodeReceipt,
  encodeReceipt,
  receiptVersion,
  verifyReceipt,
  verifyReceiptOf,
  type Receipt,
  type ReceiptEntry,
} from "./messages/receipt.js";
export {
  ANSWER,
  ANSWER_CLASS,
  answerCodec,
  answerName,
  type Answer,
  type AnswerClass,
  type AnswerName,
} from "./messages/answer.js";
export { KIND, isRegionKind, type Kind } from "./messages/kind.js";
export { HEADER_BYTES, headerCodec, type Header } from "./messages/header.js";
export { genesisHeader } from "./messages/genesis-header.js";
export { genesisHash } from "./messages/genesis.js";
export { blockCodec, decodeReadingLeaf, type Block, type ReadingLeaf } from "./messages/block.js";
export { proposalCodec, type Proposal } from "./messages/proposal.js";
export { incompleteCodec, type Incomplete } from "./messages/incomplete.js";
export {
  ELECTION_BYTES,
  TIMEOUT_BYTES,
  VOTE_BYTES,
  electionCodec,
  timeoutCodec,
  voteCodec,
  type Election,
  type Timeout,
  type Vote,
} from "./messages/votes.js";
export {
  decodeElections,
  decodeTimeouts,
  decodeVotes,
  encodeCertificate,
  verifyElection,
  verifyTimeouts,
  verifyVotes,
  type CertificateRefusal,
  type VoteSubject,
} from "./messages/certificates.js";
export { MASK_STATUS, maskCodec, type Mask } from "./messages/mask.js";
export { BASIS, priceCodec, type Price, type PriceBasis } from "./messages/price.js";
export { MAX_BILLS, billsCodec, type BillEntry, type Bills } from "./messages/bills.js";
export { verdictCodec, type Verdict } from "./messages/verdict.js";
export { closeCodec, type Close } from "./messages/close.js";
export { deliveryCodec, type Delivery, type KeyChain } from "./messages/delivery.js";
export { MILLION, NANO, floorDiv, formatAmount, minorUnit, roundHalfAway, showLines, type Shown } from "./money.js";
export {
  DEFAULT_TARIFF,
  parseTariff,
  tariffJson,
  tierCost,
  type Adjustment,
  type MissingRule,
  type Tariff,
  type TariffJson,
  type Tier,
} from "./tariff.js";
export { computeBill, type Bill, type BillInput, type BillLine, type Quality } from "./bill.js";
export { canonicalBytes, canonicalJson, parseCanonical } from "./canonical.js";
export { padReport, plaintextBytes, unpadReport } from "./padding.js";
export {
  QUALITY_CODES,
  REPORT_SCHEMA,
  REPORT_VERSION,
  seedsOf,
  type BillReport,
  type Feedback,
  type ReportColumns,
  type ReportDelta,
  type ReportPenalties,
  type ReportLine,
  type SeedLeaf,
  type Supply,
} from "./report.js";
export { checkReport, encodeReport, parseReport } from "./reportcheck.js";
export {
  draftReport,
  figuresOf,
  type OwnLeaf,
  type Penalties,
  type ReportFigures,
  type ReportInput,
} from "./reportdraft.js";
export { seedLeafHash } from "./seedleaf.js";
export {
  findReading,
  periodKeys,
  type BillLedger,
  type EpochFacts,
  type Finding,
  type PeriodFacts,
  type PeriodKeys,
  type ReadingState,
} from "./finding.js";
export type { Difference, DifferenceCode } from "./difference.js";
export { verifyBill, type Verification } from "./verify.js";
export { billedMonthOf, deltaNano, monthNano, type BilledMonth, type Correction } from "./settlement.js";
export { checkDeltas, type DeltaChecks, type EarlierBill, type EarlierBills } from "./deltas.js";
export { judgeReceipt, verifyReceipted, type ReceiptBlock, type ReceiptVerdict } from "./receipt-verdict.js";
export { explainPeriod, type HalfExplanation, type PeriodExplanation } from "./explain.js";
export * from "./ledger/index.js";
export {
  composeParamsLeaf,
  nextParams,
  proveParamsLeaf,
  provePossession,
  unprovenKeys,
  type ParamsChange,
  type ParamsValues,
} from "./params-change.js";
export {
  decodeParamsProofs,
  decodeParamsWish,
  encodeParamsProofs,
  encodeParamsWish,
  paramsProof,
  verifySuccessor,
  verifyVersions,
  type ParamsProof,
  type ProvedVersion,
} from "./versions.js";
