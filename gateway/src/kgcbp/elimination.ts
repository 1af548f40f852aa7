import { VeilgridError, comparePeriods, monthAt, monthName, type Period } from "@veilgrid/protocol";
import type { Desk } from "./desk.js";
import type { Epochs } from "./epochs.js";

/** A change in whether a meter counts, and from when it holds. */
export interface MeterChange {
  /** The operator's name of the meter. */
  readonly meter: string;
  /** Where it counts: more than one where it is about to move. */
  readonly regions: readonly number[];
  /** The first period of which no epoch was sent, unless a later one was asked for. */
  readonly from: Period;
}

/** How a meter is eliminated or reinstated. */
export interface ChangeOptions {
  /** Not before the first period of which no epoch was sent. */
  readonly from?: Period;
  /** Says from when it would hold, and changes nothing. */
  readonly dryRun?: boolean;
}

/**
 * "A meter that is … eliminated or reinstated changes with the next epoch not yet sent" (PROTOCOL section 4, Filter
 * generation): what was sent of a period stays. An eliminated meter's readings pass no filter, and it counts as neither
 * complete nor faulty.
 */
export class Elimination {
  readonly #desk: Desk;
  readonly #epochs: Epochs;

  constructor(desk: Desk, epochs: Epochs) {
    this.#desk = desk;
    this.#epochs = epochs;
  }

  /** @throws VeilgridError `unknown-meter`, `period-sent`, `already-eliminated`. */
  eliminate(meter: string, options: ChangeOptions = {}): Promise<MeterChange> {
    return this.#change(meter, options, false);
  }

  /** @throws VeilgridError `unknown-meter`, `period-sent`, `not-eliminated`. */
  reinstate(meter: string, options: ChangeOptions = {}): Promise<MeterChange> {
    return this.#change(meter, options, true);
  }

  async #change(meter: string, options: ChangeOptions, counts: boolean): Promise<MeterChange> {
    const { register } = this.#desk;
    const change = await register.exclusively(() => this.#make(meter, options, counts));
    if (options.dryRun !== true) for (const region of change.regions) await this.#epochs.onChange(region);
    return change;
  }

  async #make(meter: string, { from: asked, dryRun = false }: ChangeOptions, counts: boolean): Promise<MeterChange> {
    const regions = this.#regions(meter);
    const earliest = await this.#earliest(regions);
    if (asked !== undefined && comparePeriods(asked, earliest) < 0) throw periodSent(asked, earliest);
    const from = asked ?? earliest;
    const { eliminations, log } = this.#desk;
    eliminations.require(meter, counts);
    if (!dryRun) {
      await (counts ? eliminations.reinstate(meter, from) : eliminations.eliminate(meter, from));
      log("info", counts ? "meter-reinstated" : "meter-eliminated", { month: from.month, k: from.k });
    }
    return { meter, regions, from };
  }

  /** The first period of which no epoch of any of the regions was sent. */
  async #earliest(regions: readonly number[]): Promise<Period> {
    const all: Period[] = [];
    for (const region of regions) all.push(await this.#epochs.firstUnsent(region));
    return all.sort(comparePeriods).at(-1) as Period;
  }

  /** Where the meter counts or is about to. @throws VeilgridError `unknown-meter` where its supply is over. */
  #regions(meter: string): number[] {
    const { register, clock } = this.#desk;
    const supplies = register.suppliesAt(meter);
    const month = monthAt(clock.now());
    const standing = supplies.filter(({ to }, i) => {
      const ends = [to, supplies[i + 1]?.from].filter((end) => end !== undefined);
      return ends.every((end) => end.month >= month);
    });
    if (standing.length > 0) return [...new Set(standing.map(({ region }) => region))];
    throw new VeilgridError("unknown-meter", `KGCBP supplies no meter ${meter}`, { facts: { meter }, blame: "caller" });
  }
}

function periodSent(asked: Period, earliest: Period): VeilgridError {
  const name = ({ month, k }: Period): string => `period ${k} of ${monthName(month)}`;
  const sentence = `an epoch with ${name(asked)} was sent, and what it says stays: ${name(earliest)} is the first that can change`;
  const facts = { month: monthName(earliest.month), k: earliest.k };
  return new VeilgridError("period-sent", sentence, { facts, blame: "caller" });
}
