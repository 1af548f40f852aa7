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
