import { periodStart, type Period } from "@veilgrid/protocol";
import { badPolicy, wholeMicro, type PricePolicy } from "./policy.js";
import type { Zone } from "./zone.js";

const BAND = /^(\d\d)(?::(\d\d))?-(\d\d)(?::(\d\d))?=(.+)$/;
const QUARTERS = 96;

/** A time of day as quarter-hours since midnight, 24:00 included. */
function quarterOf(policy: string, hour: string | undefined, minute: string | undefined): number {
  const [hours, minutes] = [Number(hour), Number(minute ?? "0")];
  const quarter = hours * 4 + minutes / 15;
  if (minutes > 59 || quarter > QUARTERS || !Number.isInteger(quarter)) {
    throw badPolicy(policy, `${hour ?? ""}:${minute ?? "00"} is not a quarter-hour of the day`);
  }
  return quarter;
}

function clock(quarter: number): string {
  return `${String(quarter >> 2).padStart(2, "0")}:${String((quarter % 4) * 15).padStart(2, "0")}`;
}

/** The price of each quarter-hour of the day; a band may run over midnight. */
function fill(policy: string, text: string): readonly bigint[] {
  const prices = new Array<bigint | undefined>(QUARTERS).fill(undefined);
  for (const band of text.split(",")) {
    const parts = BAND.exec(band.trim());
    if (parts === null) throw badPolicy(policy, `"${band}" is not a band such as 07-17=250000`);
    const price = wholeMicro(policy, parts[5] ?? "");
    const from = quarterOf(policy, parts[1], parts[2]) % QUARTERS;
    const to = quarterOf(policy, parts[3], parts[4]);
    const length = to > from ? to - from : to + QUARTERS - from;
    for (let i = 0; i < length; i += 1) {
      const quarter = (from + i) % QUARTERS;
      if (prices[quarter] !== undefined) throw badPolicy(policy, `two bands have ${clock(quarter)}`);
      prices[quarter] = price;
    }
  }
  return prices.map((price, quarter) => {
    if (price === undefined) throw badPolicy(policy, `no band has ${clock(quarter)}`);
    return price;
  });
}

/**
 * Time of use: the price of the band in which a period begins, by the wall clock of a zone. The text is
 * `HH[:MM]-HH[:MM]=MICRO`, bands separated by commas, which together cover the day once:
 * `00-07=120000,07-17=250000,17-21=400000,21-24=250000`. A band may run over midnight (`21-07=120000`).
 */
export class TimeOfUsePolicy implements PricePolicy {
  readonly #text: string;
  readonly #zone: Zone;
  readonly #periodSeconds: number;
  readonly #prices: readonly bigint[];

  /** @throws VeilgridError `bad-policy`. */
  constructor(text: string, zone: Zone, periodSeconds: number) {
    this.#text = text;
    this.#zone = zone;
    this.#periodSeconds = periodSeconds;
    this.#prices = fill(`tou:${text}`, text);
  }

  price(_region: number, period: Period): bigint {
    const wall = new Date(this.#zone.wallOf(periodStart(period, this.#periodSeconds)));
    return this.#prices[wall.getUTCHours() * 4 + Math.floor(wall.getUTCMinutes() / 15)] as bigint;
  }

  covers(): void {
    // The bands cover the day.
  }

  describe(): string {
    return `micro-units per kWh by the hour in ${this.#zone.name}, measured or not: ${this.#text}`;
  }
}
