import { VeilgridError } from "./errors.js";
import type { Period } from "./messages/period.js";

/*
 * Billing time (PROTOCOL section 3): "A billing month is YYYY-MM in UTC; its periods run from 00:00 of the first day,
 * periodSeconds long, numbered from k = 0. The chain runs on across months."
 * A month is the wire's number 12*year + (month-1); instants are Unix milliseconds.
 */

/** The first month that a Period can name, January 1970. */
export const FIRST_MONTH = 12 * 1970;
/** The last month that a Period can name, December 9999. */
export const LAST_MONTH = 12 * 9999 + 11;

const DAY_SECONDS = 86_400;

/** The times of a period's readings, in Unix milliseconds: all three bounds are half open. */
export interface Window {
  /** end(k): a meter may send from here on. */
  readonly opens: number;
  /** end(k) + submissionWindow: a DA accepts nothing from meters any more. */
  readonly closes: number;
  /** closes + forwardSeconds: a DA acks nothing any more, and may vote. */
  readonly freezes: number;
}

/** The parameters that a window depends on, all in seconds. */
export interface WindowParams {
  readonly periodSeconds: number;
  readonly submissionWindow: number;
  readonly forwardSeconds: number;
}

function refuse(what: string, value: number | string): VeilgridError {
  return new VeilgridError("out-of-range", `${what} ${value} is out of range`, {
    facts: { what, value },
    blame: "caller",
  });
}

function checkMonth(month: number): void {
  if (!Number.isInteger(month) || month < FIRST_MONTH || month > LAST_MONTH) throw refuse("month", month);
}

/** The instant at which a month begins, in Unix milliseconds; one past the last month is its end. */
function instantOf(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}

/**
 * 00:00 UTC of the month's first day, in Unix milliseconds.
 * @throws VeilgridError `out-of-range` for a month that no Period can name (so do all functions of this file).
 */
export function monthStart(month: number): number {
  checkMonth(month);
  return instantOf(month);
}

/** The instant at which the month is over, in Unix milliseconds: the next one's start. */
export function monthEnd(month: number): number {
  checkMonth(month);
  return instantOf(month + 1);
}

/** How many periods the month really has: 1 344 to 1 488 half-hours, or twice that for quarters. */
export function periodsInMonth(month: number, periodSeconds: number): number {
  if (periodSeconds !== 900 && periodSeconds !== 1800) throw refuse("periodSeconds", periodSeconds);
  const days = (monthEnd(month) - monthStart(month)) / (1000 * DAY_SECONDS);
  return (days * DAY_SECONDS) / periodSeconds;
}

/** @throws VeilgridError `out-of-range` unless k is one of the month's periods. */
export function checkPeriod(period: Period, periodSeconds: number): void {
  const count = periodsInMonth(period.month, periodSeconds);
  if (!Number.isInteger(period.k) || period.k < 0 || period.k >= count) throw refuse("period", period.k);
}

/** When the period begins, in Unix milliseconds. */
export function periodStart(period: Period, periodSeconds: number): number {
  checkPeriod(period, periodSeconds);
  return instantOf(period.month) + period.k * periodSeconds * 1000;
}

/** end(k): when the period is over, in Unix milliseconds. */
export function periodEnd(period: Period, periodSeconds: number): number {
  return periodStart(period, periodSeconds) + periodSeconds * 1000;
}

/** The month that the instant (Unix milliseconds) lies in. */
export function monthAt(ms: number): number {
  const date = new Date(ms);
  const month = 12 * date.getUTCFullYear() + date.getUTCMonth();
  checkMonth(month);
  return month;
}

/** The period that the instant (Unix milliseconds) lies in; a period's start belongs to it, its end does not. */
export function periodAt(ms: number, periodSeconds: number): Period {
  const month = monthAt(ms);
  const period = { month, k: Math.floor((ms - instantOf(month)) / (periodSeconds * 1000)) };
  checkPeriod(period, periodSeconds);
  return period;
}

/** The period `count` later, or earlier where `count` is negative, across the ends of months. */
export function addPeriods(period: Period, count: number, periodSeconds: number): Period {
  return periodAt(periodStart(period, periodSeconds) + count * periodSeconds * 1000, periodSeconds);
}

/** The period that follows: after a month's last one the next month's first. */
export function nextPeriod(period: Period, periodSeconds: number): Period {
  return addPeriods(period, 1, periodSeconds);
}

/** Order in time: negative, zero or positive. */
export function comparePeriods(a: Period, b: Period): number {
  return a.month - b.month || a.k - b.k;
}

/** How many periods `to` lies after `from`; negative if before. */
export function periodsBetween(from: Period, to: Period, periodSeconds: number): number {
  return (periodStart(to, periodSeconds) - periodStart(from, periodSeconds)) / (periodSeconds * 1000);
}

/** The `count` consecutive periods from `first` on, across the ends of months. */
export function* periodRange(first: Period, count: number, periodSeconds: number): Generator<Period, void> {
  for (let i = 0; i < count; i += 1) yield addPeriods(first, i, periodSeconds);
}

/** When readings of the period are accepted, forwarded and frozen (PROTOCOL section 3). */
export function window(period: Period, params: WindowParams): Window {
  const opens = periodEnd(period, params.periodSeconds);
  const closes = opens + params.submissionWindow * 1000;
  return { opens, closes, freezes: closes + params.forwardSeconds * 1000 };
}

/** The instant (Unix milliseconds) from which on a chain 0 block may rely on the month as closed. */
export function monthCloses(month: number, params: WindowParams): number {
  return monthEnd(month) + (params.submissionWindow + params.forwardSeconds) * 1000;
}

/** The month's name, "YYYY-MM". */
export function monthName(month: number): string {
  checkMonth(month);
  return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}`;
}

/** The month of a name "YYYY-MM". */
export function monthOf(name: string): number {
  const parts = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(name);
  if (parts === null) throw refuse("month", name);
  const month = 12 * Number(parts[1]) + Number(parts[2]) - 1;
  checkMonth(month);
  return month;
}
