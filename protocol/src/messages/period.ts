import type { Reader, Writer } from "../bytes.js";
import { FIRST_MONTH, LAST_MONTH, periodsInMonth } from "../calendar.js";

/** A billing period: `month` is 12*year + (month-1), `k` counts the month's periods from 0 (PROTOCOL section 7). */
export interface Period {
  readonly month: number;
  readonly k: number;
}

/** Encoded length of a Period. */
export const PERIOD_BYTES = 6;

/** The six zero bytes of a header whose kind has no period. */
export const NO_PERIOD: Period = Object.freeze({ month: 0, k: 0 });

/** "1970 <= year <= 9999" */
export function isMonth(month: number): boolean {
  return Number.isInteger(month) && month >= FIRST_MONTH && month <= LAST_MONTH;
}

/** "k < periods of the month" */
export function isPeriod(period: Period, periodSeconds: number): boolean {
  if (!isMonth(period.month)) return false;
  return Number.isInteger(period.k) && period.k >= 0 && period.k < periodsInMonth(period.month, periodSeconds);
}

/** Whether both name the same period. */
export function samePeriod(a: Period, b: Period): boolean {
  return a.month === b.month && a.k === b.k;
}

export function writePeriod(to: Writer, period: Period): Writer {
  return to.u32(period.month).u16(period.k);
}

export function readPeriod(from: Reader): Period {
  return { month: from.u32(), k: from.u16() };
}
