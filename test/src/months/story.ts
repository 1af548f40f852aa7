import { SeededRandom } from "@veilgrid/gateway";
import type { MeterCsv } from "../world/meter-csv.js";

/**
 * What goes wrong with a meter in a period. `silent`: neither half reaches an aggregator; `half`: one of them does not;
 * `late`: both come after the window; `unread`: its register is not read; `broken`: its register shows what no home
 * consumes.
 */
export type FaultKind = "silent" | "half" | "late" | "unread" | "broken";

export const FAULT_KINDS: readonly FaultKind[] = ["silent", "half", "late", "unread", "broken"];

/** What happens to single meters: home by its index in the file, periods by theirs, from the first one on, 0. */
export interface Changes {
  /** Left out from one period to another, exclusive. */
  readonly eliminated: { readonly home: number; readonly from: number; readonly to: number };
  readonly moved: { readonly home: number; readonly from: number; readonly region: number };
  readonly sold: { readonly home: number; readonly from: number; readonly customer: string };
  readonly replaced: { readonly home: number; readonly from: number };
  /** Its old keys are out: it says nothing from the period `told` on. */
  readonly rekeyed: { readonly home: number; readonly from: number; readonly told: number };
}

/** A month of homes in which meters fail and change, and the month after it in which nothing goes wrong. */
export interface StoryOptions {
  readonly seed: string;
  /** What the homes truly consumed, in both months. */
  readonly csv: MeterCsv;
  readonly regions: number;
  readonly changes: Changes;
  /** Of a hundred meters so many fail in a period of the first month. */
  readonly percent: number;
}

/** A meter in a period. */
export interface Standing {
  readonly region: number;
  /** The customer's name at the meter; the first one has the meter's. */
  readonly customer: string;
  /** Whether the epoch counts the meter. */
  readonly isListed: boolean;
  /** What is wrong with it; `keyless`: its old keys are out, and the new ones do not hold yet. */
  readonly fault: FaultKind | "keyless" | undefined;
}

/** Who is where, and what goes wrong, period by period: drawn from a seed. */
export class Story {
  readonly options: StoryOptions;
  readonly csv: MeterCsv;
  /** Periods of the first month. */
  readonly firstMonth: number;
  readonly #random: SeededRandom;
  readonly #wattHours: readonly (readonly bigint[])[];

  constructor(options: StoryOptions) {
    this.options = options;
    this.csv = options.csv;
    const [first] = this.csv.starts as [number];
    const month = new Date(first).getUTCMonth();
    this.firstMonth = this.csv.starts.findIndex((start) => new Date(start).getUTCMonth() !== month);
    this.#random = SeededRandom.of(options.seed);
    this.#wattHours = this.csv.wattHours() as bigint[][];
  }

  get homes(): number {
    return this.csv.households.length;
  }

  name(home: number): string {
    return this.csv.households[home] as string;
  }

  /** What the home truly consumed, Wh. */
  wh(home: number, n: number): bigint {
    return (this.#wattHours[home] as bigint[])[n] as bigint;
  }

  /** The month's last period is spared, so that every case has its verdict before the bills are made. */
  #drawn(home: number, n: number): FaultKind | undefined {
    if (n >= this.firstMonth - 1 || this.#random.below(100, "fails", home, n) >= this.options.percent) return undefined;
    return FAULT_KINDS[this.#random.below(FAULT_KINDS.length, "how", home, n)];
  }

  standing(home: number, n: number): Standing {
    const { eliminated, moved, sold } = this.options.changes;
    const isListed = home !== eliminated.home || n < eliminated.from || n >= eliminated.to;
    return {
      region: home === moved.home && n >= moved.from ? moved.region : 1 + (home % this.options.regions),
      customer: home === sold.home && n >= sold.from ? sold.customer : this.name(home),
      isListed,
      // Who is left out is nobody's case.
      fault: isListed ? this.#fault(home, n) : undefined,
    };
  }

  #fault(home: number, n: number): Standing["fault"] {
    const { rekeyed } = this.options.changes;
    const isKeyless = home === rekeyed.home && rekeyed.told <= n && n < rekeyed.from;
    return isKeyless ? "keyless" : this.#drawn(home, n);
  }

  /** How many of a home's readings reach the ledger in a period, and what they open to, Wh, where both do. */
  onLedger(home: number, n: number): { readonly halves: 0 | 1 | 2; readonly wh: bigint | undefined } {
    const { isListed, fault } = this.standing(home, n);
    if (fault === "half") return { halves: 1, wh: undefined };
    if (!isListed || (fault !== undefined && fault !== "broken")) return { halves: 0, wh: undefined };
    return { halves: 2, wh: fault === "broken" ? BigInt(this.#jump(home, n)) * 1000n : this.wh(home, n) };
  }

  /** What a broken register shows, kWh. */
  #jump(home: number, n: number): number {
    return 250 + this.#random.below(500, "jump", home, n);
  }

  /** The home's reading in Wh, where it counts. */
  counted(home: number, n: number): bigint | undefined {
    const { isListed, fault } = this.standing(home, n);
    return isListed && fault === undefined ? this.wh(home, n) : undefined;
  }

  /** What the meters' registers show: the file that the run gets. */
  registers(): MeterCsv {
    return this.csv.with((text, home, n) => {
      const { fault } = this.standing(home, n);
      if (fault === "unread") return "";
      return fault === "broken" ? `${this.#jump(home, n)}.000` : text;
    });
  }

  /** Every meter's fault in a region's period, by the meter's name. */
  faultsIn(region: number, n: number): Map<string, NonNullable<Standing["fault"]>> {
    const faults = new Map<string, NonNullable<Standing["fault"]>>();
    for (let home = 0; home < this.homes; home += 1) {
      const standing = this.standing(home, n);
      if (standing.region === region && standing.fault !== undefined) faults.set(this.name(home), standing.fault);
    }
    return faults;
  }
}
