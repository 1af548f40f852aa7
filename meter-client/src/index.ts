export { MAX_STEP_MS, ClockOffset, median } from "./clockoffset.js";
export { openDelivery, type Addressee } from "./enrolment.js";
export { Fleet } from "./fleet.js";
export { makeReadings, type Half, type Place, type SignedHalves } from "./halves.js";
export { KeyChains, schedule, type OpenChain, type StoredChain } from "./keychains.js";
export { Meter, type MeterModules, type MeterOptions } from "./meter.js";
export { MonthKeys, type MonthKey, type PeriodLeaves } from "./monthkeys.js";
export { Outbox, type KeptKeys, type Proof, type Refusal } from "./outbox.js";
export type {
  MeterChange,
  MeterClock,
  MeterLog,
  MeterOpener,
  MeterRandom,
  MeterStore,
  MeterTimer,
  MeterTransport,
} from "./ports.js";
