import { VeilgridError, periodsBetween, type Period } from "@veilgrid/protocol";
import { ProfileLoad } from "../input/profile.js";
import { readReadings } from "../input/readings.js";
import type { ReadingsTable } from "../input/table.js";
import type { Random } from "../ports/random.js";
import { periodAtInstant } from "./instant.js";

/** Households whose consumption is known without a register: those of a file, or made up. */
export interface Households {
  /** Their names; undefined where there are as many as are asked for. */
  readonly names: readonly string[] | undefined;
  /** Whole Wh of a household (by its number from 0) in a period, signed; undefined where there is none. */
  consumption(household: number, period: Period): bigint | undefined;
}

/** Readings of a CSV file, played again. */
export interface ReplayOptions {
  readonly file: string;
  /** IANA time zone of the file's wall clock; UTC if not given. */
  readonly timezone?: string | undefined;
  /** When the first row's period begins, for a file without dates. */
  readonly start?: string | undefined;
  /** RFC 3339: the period in which the file's first one is played; its own date if not given. */
  readonly begins?: string | undefined;
  /** After the file's last period comes its first one again. */
  readonly repeat?: boolean | undefined;
}

class Replay implements Households {
  readonly #table: ReadingsTable;
  readonly #first: Period;
  readonly #repeat: boolean;

  constructor(table: ReadingsTable, first: Period, repeat: boolean) {
    this.#table = table;
    this.#first = first;
    this.#repeat = repeat;
  }

  get names(): readonly string[] {
    return this.#table.households;
  }

  consumption(household: number, period: Period): bigint | undefined {
    const { periods, periodSeconds, households } = this.#table;
    const played = periodsBetween(this.#first, period, periodSeconds);
    if (played < 0 || (played >= periods && !this.#repeat)) return undefined;
    // More meters than homes: each home is had several times.
    const wh = this.#table.consumption(household % households.length, played % periods);
    return wh === undefined ? undefined : BigInt(wh);
  }
}

/** @throws VeilgridError about the file (`readReadings`), `period-mismatch`, `bad-time`. */
export async function replayHouseholds(options: ReplayOptions, periodSeconds: 900 | 1800): Promise<Households> {
  const { file, timezone, start, begins, repeat } = options;
  const table = await readReadings(file, { timezone, start, periodSeconds });
  if (table.periodSeconds !== periodSeconds) {
    throw new VeilgridError(
      "period-mismatch",
      `${file} has periods of ${table.periodSeconds} s, not ${periodSeconds}`,
      {
        facts: { file, periodSeconds: table.periodSeconds },
        blame: "operator",
      },
    );
  }
  const first = begins === undefined ? table.firstPeriod : periodAtInstant(begins, periodSeconds);
  return new Replay(table, first, repeat ?? false);
}

/** Households made up from the standard load profile, as many as are asked for. */
export async function madeUpHouseholds(options: {
  readonly periodSeconds: 900 | 1800;
  readonly random: Random;
  readonly timezone?: string | undefined;
}): Promise<Households> {
  const load = await ProfileLoad.open(options);
  return { names: undefined, consumption: (household, period) => BigInt(load.consumption(household, period)) };
}
