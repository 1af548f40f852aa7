import { periodAt, type Period } from "@veilgrid/protocol";
import type { Border, FaultCode, RegisterFault, RegisterReading } from "./register.js";

/** A period whose consumption is known. */
export interface Count {
  readonly period: Period;
  /** Imported minus exported Wh. */
  readonly wh: bigint;
}

/** What readings came to. */
export interface Counted {
  /** Ascending. */
  readonly counts: readonly Count[];
  /** The newest border, which goes to disk with the counts; undefined where no border was reached. */
  readonly border: Border | undefined;
  readonly faults: readonly RegisterFault[];
}

export interface BorderCountOptions {
  readonly periodSeconds: number;
  /** How far from a border a reading may be to stand for it, milliseconds. */
  readonly toleranceMs: number;
  /** More than that, in or out, no period holds. */
  readonly maxWhPerPeriod: number;
}

/**
 * From a register's readings to the consumption of periods: the difference of what it shows at their borders ("the
 * difference of two integer register readings, so fractions carry over", PROTOCOL section 2). A period whose borders are
 * not both known, or between which the register cannot be believed, has none: it is missing, never guessed.
 */
export class BorderCount {
  readonly #options: BorderCountOptions;
  readonly #periodMs: number;
  /** The last known border; undefined where the register could not be believed since. */
  #known: Border | undefined;
  /** The next border to be judged. */
  #next: number | undefined;
  #latest: RegisterReading | undefined;
  #silent = false;

  /** @param last what is on disk of an earlier run. */
  constructor(options: BorderCountOptions, last?: Border) {
    this.#options = options;
    this.#periodMs = options.periodSeconds * 1000;
    this.#known = last;
    this.#next = last === undefined ? undefined : last.at + this.#periodMs;
    this.#latest = last;
  }

  /** The next border, Unix milliseconds; undefined before the first reading. */
  get next(): number | undefined {
    return this.#next;
  }

  /** Takes a reading in. Times that go back, as those of a clock that is set do, count as the last one. */
  take(reading: RegisterReading): Counted {
    const made = new Tally();
    const at = Math.max(reading.at, this.#latest?.at ?? reading.at);
    const now = { ...reading, at };
    this.#next ??= Math.ceil(at / this.#periodMs) * this.#periodMs;
    this.#doubt(now, made);
    while (this.#next < at) this.#judge(this.#next, now, made);
    // Only now: a register that does not know what was used has a value here, and none before.
    if (now.unread === true) this.#known = undefined;
    if (this.#next === at) this.#judge(this.#next, now, made);
    this.#latest = now;
    return made;
  }

  /** No reading came: the borders that are `toleranceMs` past are judged by what is there. */
  pass(now: number): Counted {
    const made = new Tally();
    while (this.#next !== undefined && this.#next + this.#options.toleranceMs < now) {
      this.#judge(this.#next, undefined, made);
    }
    return made;
  }

  /** A register that fell, or is another one, cannot be subtracted from the last border. */
  #doubt(now: RegisterReading, made: Tally): void {
    const before = this.#latest;
    if (before === undefined || this.#known === undefined) return;
    const code = doubtOf(before, now);
    if (code === undefined) return;
    made.fault(code, { at: new Date(now.at).toISOString() });
    // The borders up to now may still have been the old register's.
    while (this.#next !== undefined && this.#next < now.at) this.#judge(this.#next, undefined, made);
    this.#known = undefined;
  }

  #judge(border: number, after: RegisterReading | undefined, made: Tally): void {
    this.#next = border + this.#periodMs;
    const reading = this.#nearest(border, after);
    if (reading === undefined) {
      if (!this.#silent) made.fault("register-silent", { border: new Date(border).toISOString() });
      this.#silent = true;
      return;
    }
    this.#reach(borderOf(border, reading), made);
  }

  #nearest(border: number, after: RegisterReading | undefined): RegisterReading | undefined {
    const near = [this.#latest, after].filter(
      (one) => one !== undefined && Math.abs(one.at - border) <= this.#options.toleranceMs,
    );
    const [first, second] = near;
    if (first === undefined || second === undefined) return first;
    return second.at - border <= border - first.at ? second : first;
  }

  #reach(border: Border, made: Tally): void {
    const before = this.#known;
    this.#known = border;
    this.#silent = false;
    made.border = border;
    if (before === undefined) return;
    const periods = Math.round((border.at - before.at) / this.#periodMs);
    const code = this.#problem(before, border, periods);
    const facts = { from: new Date(before.at).toISOString(), to: new Date(border.at).toISOString(), periods };
    if (code !== undefined) made.fault(code, facts);
    else made.counts.push({ period: periodAt(before.at, this.#options.periodSeconds), wh: moved(before, border) });
  }

  #problem(before: Border, border: Border, periods: number): FaultCode | undefined {
    const doubt = doubtOf(before, border);
    if (doubt !== undefined) return doubt;
    const most = BigInt(this.#options.maxWhPerPeriod) * BigInt(periods);
    if (border.imported - before.imported > most || border.exported - before.exported > most) return "register-jumped";
    return periods === 1 ? undefined : "register-gap";
  }
}

/** What is being gathered. */
class Tally implements Counted {
  readonly counts: Count[] = [];
  readonly faults: RegisterFault[] = [];
  border: Border | undefined;

  fault(code: FaultCode, facts: RegisterFault["facts"]): void {
    this.faults.push({ code, facts });
  }
}

function doubtOf(before: RegisterReading, after: RegisterReading): FaultCode | undefined {
  if (before.device !== after.device) return "register-replaced";
  return after.imported < before.imported || after.exported < before.exported ? "register-fell" : undefined;
}

function borderOf(at: number, { imported, exported, device }: RegisterReading): Border {
  return { at, imported, exported, ...(device === undefined ? {} : { device }) };
}

function moved(before: Border, after: Border): bigint {
  return after.imported - before.imported - (after.exported - before.exported);
}
