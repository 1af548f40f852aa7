import { isVeilgridError, monthOf, periodAt, periodsInMonth, type Period } from "@veilgrid/protocol";
import { instantsOf, parseTime, Zone } from "../input/zone.js";
import type { Run } from "../world/run.js";
import { unfit } from "./ledger-options.js";

/** How a period is told to a command on a run's folder. */
export const PERIODS_ARE = `A period is told by a time in it, with an offset (2013-04-08T18:30Z) or by the clock of the run's time zone
(2013-04-08T18:30), or by its month and number in it (2013-04/373).`;

/** How periods are told: their length, and the clock by which times without an offset are meant. */
export interface Calendar {
  readonly periodSeconds: number;
  readonly timezone: string;
}

/** The calendar of a run. */
export function calendarOf({ record }: Run): Calendar {
  return { periodSeconds: record.input.periodSeconds, timezone: record.arguments.timezone };
}

/** The period that is meant. @throws VeilgridError `bad-option` where none or two are. */
export function periodArgument(text: string, { periodSeconds, timezone }: Calendar): Period {
  const [, month, k] = /^(\d{4}-\d\d)\/(\d{1,4})$/.exec(text) ?? [];
  if (month !== undefined) return numbered(text, month, Number(k), periodSeconds);
  const time = parseTime(text);
  if (time === undefined)
    throw unfit(`${text}: it is no time such as 2013-04-08T18:30Z, and no period such as 2013-04/373`);
  const [instant, second] = instantsOf(time, new Zone(timezone));
  if (instant === undefined) throw unfit(`${text}: in ${timezone} no clock ever showed it`);
  if (second !== undefined) throw unfit(`${text}: in ${timezone} the clock showed it twice; give an offset`);
  return periodAt(instant, periodSeconds);
}

function numbered(text: string, name: string, k: number, periodSeconds: number): Period {
  const month = monthNamed(name);
  if (month !== undefined && k < periodsInMonth(month, periodSeconds)) return { month, k };
  throw unfit(`${text}: there is no such period`);
}

function monthNamed(name: string): number | undefined {
  try {
    return monthOf(name);
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}
