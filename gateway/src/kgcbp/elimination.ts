import { VeilgridError, comparePeriods, monthName, type Period } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";
import type { Desk } from "./desk.js";
import type { Epochs } from "./epochs.js";

/** A change in whether a meter counts, and from when it holds. */
export interface MeterChange {
  /** The operator's name of the meter. */
  readonly meter: string;
  readonly region: number;
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

  async #change(meter: string, { from: asked, dryRun = false }: ChangeOptions, counts: boolean): Promise<MeterChange> {
    const enrolment = this.#newest(meter);
    const { region } = enrolment;
    const earliest = await this.#epochs.firstUnsent(region);
    if (asked !== undefined && comparePeriods(asked, earliest) < 0) throw periodSent(asked, earliest);
    const from = asked ?? earliest;
    const { eliminations } = this.#desk;
    eliminations.require(enrolment, counts);
    if (dryRun) return { meter, region, from };
    await (counts ? eliminations.reinstate(enrolment, from) : eliminations.eliminate(enrolment, from));
    const facts = { region, month: from.month, k: from.k };
    this.#desk.log("info", counts ? "meter-reinstated" : "meter-eliminated", facts);
    await this.#epochs.onChange(region);
    return { meter, region, from };
  }

  /** The enrolment that the meter's name stands for: the one that begins last. */
  #newest(meter: string): Enrolment {
    const enrolments = this.#desk.register.enrolments().filter((one) => one.meter === meter);
    const newest = enrolments.sort((a, b) => comparePeriods(a.from, b.from)).at(-1);
    if (newest !== undefined) return newest;
    throw new VeilgridError("unknown-meter", `KGCBP knows no meter ${meter}`, { facts: { meter }, blame: "caller" });
  }
}

function periodSent(asked: Period, earliest: Period): VeilgridError {
  const name = ({ month, k }: Period): string => `period ${k} of ${monthName(month)}`;
  const sentence = `an epoch with ${name(asked)} was sent, and what it says stays: ${name(earliest)} is the first that can change`;
  const facts = { month: monthName(earliest.month), k: earliest.k };
  return new VeilgridError("period-sent", sentence, { facts, blame: "caller" });
}
