import { VeilgridError } from "@veilgrid/protocol";
import type { Place } from "./problem.js";

/** A date and time as written: the wall clock's, as though it were UTC, and the offset from UTC if one is written. */
export interface WrittenTime {
  /** Milliseconds of the wall clock on the UTC scale. */
  readonly wall: number;
  /** Milliseconds that the wall clock is ahead of UTC; undefined where the text does not say. */
  readonly offset: number | undefined;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|([+-])(\d\d):(\d\d))?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const DAY_MS = 86_400_000;

/** A calendar date as milliseconds, or undefined where the calendar has none such (30 February). */
function dateOf(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  // A Period names the years 1970 to 9999 (PROTOCOL section 7).
  return year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : undefined;
}

function offsetOf(parts: RegExpExecArray): number | undefined {
  if (parts[8] === undefined) return undefined;
  if (parts[8] === "Z") return 0;
  const minutes = Number(parts[10]) * 60 + Number(parts[11]);
  return (parts[9] === "-" ? -minutes : minutes) * 60_000;
}

/** Reads `YYYY-MM-DDTHH:MM[:SS[.fff]][Z|+hh:mm]`, with a blank for T too; undefined for anything else. */
export function parseTime(text: string): WrittenTime | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [hour, minute, second] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? "0")];
  const date = dateOf(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (date === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  // A fraction of a second is off every grid, whichever it is.
  const fraction = /[1-9]/.test(parts[7] ?? "") ? 1 : 0;
  return { wall: date + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction, offset: offsetOf(parts) };
}

/** Reads `YYYY-MM-DD` as its first instant on the wall clock; undefined for anything else. */
export function parseDate(text: string): WrittenTime | undefined {
  return DATE.test(text) ? parseTime(`${text}T00:00`) : undefined;
}

/** A time zone of the IANA data base: from wall clock times to instants, with its changes of the clock. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, readonly [before: number, after: number]>();

  /** @throws VeilgridError `unknown-timezone`. */
  constructor(name: string) {
    this.name = name;
    try {
      this.#format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch (cause) {
      throw new VeilgridError("unknown-timezone", `"${name}" is not a time zone of the IANA data base`, {
        facts: { timezone: name },
        blame: "caller",
        cause,
      });
    }
  }

  /** The wall clock at an instant, in milliseconds on the UTC scale. */
  wallOf(instant: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  /**
   * The instants (Unix milliseconds, ascending) at which the wall clock showed `wall`: one as a rule, two in the hour
   * that is had twice when summer time ends, none in the hour that is skipped when it begins.
   */
  instants(wall: number): readonly number[] {
    const [before, after] = this.#offsetsAround(wall);
    if (before === after) return [wall - before];
    return [...new Set([wall - before, wall - after])]
      .filter((instant) => this.wallOf(instant) === wall)
      .sort((a, b) => a - b);
  }

  /** The offsets a day and more before and after, between which a zone changes its clock once at the most. */
  #offsetsAround(wall: number): readonly [number, number] {
    const day = Math.floor(wall / DAY_MS) * DAY_MS;
    let offsets = this.#days.get(day);
    if (offsets === undefined) {
      offsets = [this.#offsetAt(day - DAY_MS), this.#offsetAt(day + 2 * DAY_MS)];
      this.#days.set(day, offsets);
    }
    return offsets;
  }

  #offsetAt(instant: number): number {
    return this.wallOf(instant) - instant;
  }
}

/** The instants that a written time can mean: those of its own offset if it has one, else of the zone. */
export function instantsOf(time: WrittenTime, zone: Zone): readonly number[] {
  return time.offset === undefined ? zone.instants(time.wall) : [time.wall - time.offset];
}

/**
 * The instants of a row's time, at least one.
 * @throws VeilgridError `bad-time`, `time-nonexistent` (the hour that the zone skips when summer time begins).
 */
export function rowInstants(
  text: string,
  column: string,
  zone: Zone,
  place: Place,
): readonly [number] | readonly [number, number] {
  const time = parseTime(text);
  if (time === undefined) throw place.problem("bad-time", `"${text}" is not a date and time`, column);
  const [first, second] = instantsOf(time, zone);
  if (first === undefined) {
    throw place.problem("time-nonexistent", `in ${zone.name} no clock ever showed ${text}`, column);
  }
  return second === undefined ? [first] : [first, second];
}
