import { fileURLToPath } from "node:url";
import { addPeriods, periodStart, type Period } from "@veilgrid/protocol";
import type { Random } from "../ports/random.js";
import { MICRO } from "./column.js";
import { scaled } from "./decimal.js";
import { fileProblem } from "./problem.js";
import { Register } from "./register.js";
import { CsvFile, type CsvRow } from "./source.js";
import { FilledTable, type ReadingsTable } from "./table.js";
import { Zone } from "./zone.js";

/** The table of BDEW's standard load profile H0, in the folder `data` of the project. */
const PROFILE_FILE = new URL("../../../../data/profiles/bdew_slp_household.csv", import.meta.url);
const HEADER = "profile_id,period,day,timestamp,watts";

const QUARTERS_A_DAY = 96;
const QUARTER_MS = 900_000;
/** The profile's watts are normalised to 1,000 kWh a year. */
const NORMAL_KWH = 1000;
/** Yearly consumption of a made-up household, kWh: a single person's flat to a big family's house. */
const YEARLY_KWH = { from: 1500, to: 5500 } as const;
/** How far a period strays from the profile, in thousandths: a kettle more, nobody at home. */
const JITTER = { from: 400, to: 1600 } as const;

type Season = "summer" | "winter" | "transition";
type DayKind = "workday" | "saturday" | "sunday";

/** What the made-up households need. */
export interface ProfileOptions {
  readonly count: number;
  readonly firstPeriod: Period;
  readonly periods: number;
  readonly periodSeconds: 900 | 1800;
  readonly random: Random;
  /** IANA time zone that the households live by; UTC if not given. */
  readonly timezone?: string | undefined;
}

/** What endless households need. */
export type LoadOptions = Pick<ProfileOptions, "periodSeconds" | "random" | "timezone">;

/** H0 (BDEW 1999) by season, kind of day and quarter-hour: milliwatts of a household of 1,000 kWh a year. */
export class LoadProfile {
  readonly sha256: string;
  readonly #milliwatts: ReadonlyMap<string, number>;

  private constructor(sha256: string, milliwatts: ReadonlyMap<string, number>) {
    this.sha256 = sha256;
    this.#milliwatts = milliwatts;
  }

  /** @throws VeilgridError `unreadable-file`, `unknown-header`, `bad-number`, `row-length`. */
  static async read(path: string): Promise<LoadProfile> {
    const file = new CsvFile(path);
    const milliwatts = new Map<string, number>();
    let header = true;
    for await (const row of file.rows()) {
      if (header && row.cells.join() !== HEADER) throw row.place.problem("unknown-header", `it is not ${HEADER}`);
      if (!header && row.cells[0] === "H0") milliwatts.set(...entryOf(row));
      header = false;
    }
    if (milliwatts.size !== 9 * QUARTERS_A_DAY) {
      throw fileProblem("row-length", file.name, `${milliwatts.size} of H0's 864 quarter-hours are there`);
    }
    return new LoadProfile(file.sha256, milliwatts);
  }

  /** Milliwatts in the quarter-hour that begins at a time of the wall clock (milliseconds on the UTC scale). */
  at(wall: number): number {
    const date = new Date(wall);
    const time = date.toISOString().slice(11, 16);
    return this.#milliwatts.get(`${seasonOf(date)}/${dayOf(date)}/${time}`) as number;
  }
}

function entryOf({ cells, place }: CsvRow): [string, number] {
  const [, season = "", day = "", time = "", watts = ""] = cells;
  const parsed = scaled(watts, 3);
  if ("reason" in parsed) throw place.problem("bad-number", parsed.reason, "watts");
  return [`${season}/${day}/${time}`, Number(parsed.value)];
}

/** BDEW: summer from 15 May to 14 September, winter from 1 November to 20 March, between them transition. */
function seasonOf(date: Date): Season {
  const day = (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
  if (day >= 515 && day <= 914) return "summer";
  return day >= 1101 || day <= 320 ? "winter" : "transition";
}

function dayOf(date: Date): DayKind {
  const day = date.getUTCDay();
  if (day === 0) return "sunday";
  return day === 6 ? "saturday" : "workday";
}

/**
 * Households made from the standard load profile: each has a yearly consumption of its own, and each of its periods
 * strays from the profile; whole numbers throughout, and the same `random` gives the same households.
 * They have a reading in every period.
 */
export async function profileHouseholds(options: ProfileOptions): Promise<ReadingsTable> {
  const { count, firstPeriod, periods, periodSeconds, random } = options;
  const profile = await LoadProfile.read(fileURLToPath(PROFILE_FILE));
  const expected = expectedWork(profile, options);
  const table = new FilledTable({
    format: "profile",
    households: Array.from({ length: count }, (_, i) => `P${String(i + 1).padStart(4, "0")}`),
    firstPeriod,
    periods,
    periodSeconds,
    sha256: profile.sha256,
    counted: { identicalRepeats: 0, offGridNulls: 0, blanks: 0 },
  });
  for (let household = 0; household < count; household += 1) {
    const yearly = between(YEARLY_KWH, random, "profile/yearly", household);
    const register = new Register();
    for (const [n, work] of expected.entries()) {
      const { month, k } = addPeriods(firstPeriod, n, periodSeconds);
      const jitter = between(JITTER, random, "profile/jitter", household, month, k);
      table.set(household, n, register.add(microWh(work, yearly, jitter)));
    }
  }
  return table;
}

function between(range: { from: number; to: number }, random: Random, ...labels: (string | number)[]): number {
  return range.from + random.below(range.to - range.from + 1, ...labels);
}

/** The profile's work in each period, in milliwatts times quarter-hours. */
function expectedWork(profile: LoadProfile, options: ProfileOptions): readonly number[] {
  const zone = new Zone(options.timezone ?? "UTC");
  const start = periodStart(options.firstPeriod, options.periodSeconds);
  const periodMs = options.periodSeconds * 1000;
  return Array.from({ length: options.periods }, (_, n) => workOf(profile, zone, start + n * periodMs, periodMs));
}

/** The profile's work from an instant on, in milliwatts times quarter-hours. */
function workOf(profile: LoadProfile, zone: Zone, start: number, lengthMs: number): number {
  let work = 0;
  for (let at = start; at < start + lengthMs; at += QUARTER_MS) work += profile.at(zone.wallOf(at));
  return work;
}

/** Such households period by period, for as long as somebody asks: each period is a function of `random` alone. */
export class ProfileLoad {
  readonly #profile: LoadProfile;
  readonly #random: Random;
  readonly #zone: Zone;
  readonly #periodMs: number;
  readonly #yearly = new Map<number, number>();
  /** The work of the period that was asked for last. */
  #last = { start: NaN, work: 0 };

  private constructor(profile: LoadProfile, options: LoadOptions) {
    this.#profile = profile;
    this.#random = options.random;
    this.#zone = new Zone(options.timezone ?? "UTC");
    this.#periodMs = options.periodSeconds * 1000;
  }

  /** @throws VeilgridError `unknown-timezone`. */
  static async open(options: LoadOptions): Promise<ProfileLoad> {
    return new ProfileLoad(await LoadProfile.read(fileURLToPath(PROFILE_FILE)), options);
  }

  /** Whole Wh that household `household` (from 0) uses in a period; a fraction of one is dropped. */
  consumption(household: number, period: Period): number {
    const yearly = this.#yearlyOf(household);
    const jitter = between(JITTER, this.#random, "profile/jitter", household, period.month, period.k);
    return Math.floor(microWh(this.#work(period), yearly, jitter) / MICRO);
  }

  #yearlyOf(household: number): number {
    const known = this.#yearly.get(household);
    if (known !== undefined) return known;
    const yearly = between(YEARLY_KWH, this.#random, "profile/yearly", household);
    this.#yearly.set(household, yearly);
    return yearly;
  }

  #work(period: Period): number {
    const start = periodStart(period, this.#periodMs / 1000);
    if (start !== this.#last.start) {
      this.#last = { start, work: workOf(this.#profile, this.#zone, start, this.#periodMs) };
    }
    return this.#last.work;
  }
}

/**
 * Micro-Wh of a period: milliwatt-quarters are 250 micro-Wh each, scaled by yearly/1,000 kWh and jitter/1,000.
 * The product stays far below 2^53; what the division leaves over, under a millionth of a watt-hour, is dropped.
 */
function microWh(work: number, yearlyKwh: number, jitter: number): number {
  const product = work * 250 * yearlyKwh * jitter;
  return (product - (product % (NORMAL_KWH * 1000))) / (NORMAL_KWH * 1000);
}
