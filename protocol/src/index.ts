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
