import { VeilgridError } from "@veilgrid/protocol";
import { instantsOf, parseDate, parseTime, Zone, type WrittenTime } from "./zone.js";

/** How a readings file is to be read. */
export interface ReadingsOptions {
  /** IANA time zone of the file's wall clock; UTC if not given. Times with an offset of their own ignore it. */
  readonly timezone?: string | undefined;
  /** `YYYY-MM-DD[THH:MM]` in that zone: when the first row's period begins, for a file without dates. */
  readonly start?: string | undefined;
  /** `YYYY-MM-DD` in that zone: the first day; without it the file's first period. */
  readonly from?: string | undefined;
  /** At most so many times 24 hours; without it to the file's last period. */
  readonly days?: number | undefined;
  /** The length of a period; without it what the file's form says, else half-hours. */
  readonly periodSeconds?: 900 | 1800 | undefined;
}

/** The options with their texts read. */
export interface CheckedOptions {
  readonly zone: Zone;
  readonly start: number | undefined;
  readonly from: number | undefined;
  readonly days: number | undefined;
  readonly periodSeconds: 900 | 1800 | undefined;
}

/** A value of an option that makes no sense. */
export function badOption(option: string, value: string | number, reason: string): VeilgridError {
  return new VeilgridError("bad-option", `--${option} ${value}: ${reason}`, {
    facts: { option, value, reason },
    blame: "caller",
  });
}

function instant(option: string, text: string, time: WrittenTime | undefined, zone: Zone): number {
  if (time === undefined) throw badOption(option, text, "it is not a date (YYYY-MM-DD)");
  const [first] = instantsOf(time, zone);
  if (first === undefined) throw badOption(option, text, `in ${zone.name} no clock ever showed this time`);
  return first;
}

/** @throws VeilgridError `unknown-timezone`, `bad-option`. */
export function checkOptions(options: ReadingsOptions): CheckedOptions {
  const { start, from, days, periodSeconds } = options;
  const zone = new Zone(options.timezone ?? "UTC");
  if (days !== undefined && !(Number.isSafeInteger(days) && days >= 1)) {
    throw badOption("days", days, "it is not a whole number of days");
  }
  return {
    zone,
    start: start === undefined ? undefined : instant("start", start, parseDate(start) ?? parseTime(start), zone),
    from: from === undefined ? undefined : instant("from", from, parseDate(from), zone),
    days,
    periodSeconds,
  };
}
