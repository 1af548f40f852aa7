import { Zone } from "../input/zone.js";

/** Shows instants by the wall clock of a zone, with its offset from UTC, so that no hour is told twice. */
export class LocalTime {
  readonly #zone: Zone;

  /** @param timeZone an IANA name. @throws VeilgridError `unknown-timezone`. */
  constructor(timeZone: string) {
    this.#zone = new Zone(timeZone);
  }

  /** "2013-10-27 01:30+01:00" of Unix milliseconds; "Z" in place of an offset of zero. */
  of(ms: number): string {
    const wall = this.#zone.wallOf(ms);
    const text = new Date(wall).toISOString().slice(0, 16).replace("T", " ");
    const minutes = (wall - ms) / 60_000;
    if (minutes === 0) return `${text}Z`;
    const sign = minutes < 0 ? "-" : "+";
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    return `${text}${sign}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
  }
}
