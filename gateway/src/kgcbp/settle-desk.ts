import { VeilgridError, comparePeriods, monthName, toHex, type Period } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";
import type { Corrections, KeptCorrection } from "./corrections.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import { Exclusive } from "../exclusive.js";
import { enrolmentName } from "./names.js";
import type { Revisions } from "./revisions.js";
import type { Settlements } from "./settlements.js";

/** A value of a meter's own log. */
export interface LoggedValue {
  readonly period: Period;
  /** Signed Wh. */
  readonly wh: bigint;
}

/**
 * What a value of a log is to bills. `settled`: a correction, kept now; `known`: kept before; `measured`: the ledger's
 * reading says the same; `pending`: the period has no readings block yet; `implausible`: beyond the bound of a period;
 * `unbilled`: no bill covers the period; `erased`: KGCBP can open nothing of its month any more.
 */
export type SettleStatus = "settled" | "known" | "measured" | "pending" | "implausible" | "unbilled" | "erased";

/** What became of each value. */
export interface SettledValue extends LoggedValue {
  readonly status: SettleStatus;
}

/** How a log is settled. */
export interface SettleOptions {
  /** Why, for the customer: 1 to 200 printable characters. */
  readonly reason?: string;
  /** Says what would be settled, and changes nothing. */
  readonly dryRun?: boolean;
}

/** What a bill says unless KGCBP's operator says something else. */
export const REASON = "read from the meter's own log";

type Judged = SettledValue & { readonly bid?: Uint8Array };

function refused(
  code: string,
  message: string,
  { period }: LoggedValue,
  facts: Record<string, string> = {},
): VeilgridError {
  return new VeilgridError(code, message, {
    facts: { month: monthName(period.month), k: period.k, ...facts },
    blame: "caller",
  });
}

/**
 * Takes in what a meter's own log says of periods that were not measured: "settled as a delta on a later bill from the
 * meter's own log" (PROTOCOL section 4, Dynamic billing). The values are the meter's word; prices stay what they are.
 */
export class SettleDesk {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #settlements: Settlements;
  readonly #corrections: Corrections;
  readonly #revisions: Revisions;
  readonly #turn = new Exclusive();

  constructor(
    desk: Desk,
    modules: {
      readonly book: EpochBook;
      readonly settlements: Settlements;
      readonly corrections: Corrections;
      readonly revisions: Revisions;
    },
  ) {
    this.#desk = desk;
    this.#book = modules.book;
    this.#settlements = modules.settlements;
    this.#corrections = modules.corrections;
    this.#revisions = modules.revisions;
  }

  /** Whether no revision of a last bill is on its way to the ledger. */
  isDone(): Promise<boolean> {
    return this.#revisions.isDone();
  }

  /**
   * Settles a meter's missing periods, durably; the same again changes nothing.
   * @throws VeilgridError `unknown-meter`, `bad-reason`; `measured` where the ledger's reading says something else,
   * `settled-otherwise` where an earlier log did. Then nothing changed.
   */
  async settle(meter: string, values: readonly LoggedValue[], options: SettleOptions = {}): Promise<SettledValue[]> {
    const { reason = REASON, dryRun = false } = options;
    if (!/^\P{Cc}{1,200}$/u.test(reason)) {
      throw new VeilgridError("bad-reason", "a reason is 1 to 200 printable characters", { blame: "caller" });
    }
    const judged = await this.#turn.run(async () => {
      const all = await this.#judgeAll(meter, values);
      if (!dryRun) await this.#keep(all, reason);
      return all;
    });
    if (!dryRun) await this.#revisions.onChange();
    return judged.map(({ period, wh, status }) => ({ period, wh, status }));
  }

  async #keep(judged: readonly Judged[], reason: string): Promise<void> {
    const changes = judged.flatMap(({ bid, period, wh, status }) => {
      if (status !== "settled" || bid === undefined) return [];
      const kept: KeptCorrection = { bid, period, wh, reason, carried: undefined };
      return [this.#corrections.keep(kept)];
    });
    if (changes.length === 0) return;
    await this.#desk.store.write(changes);
    this.#desk.log("info", "log-settled", { periods: changes.length });
  }

  async #judgeAll(meter: string, values: readonly LoggedValue[]): Promise<Judged[]> {
    const supplies = this.#desk.register.suppliesAt(meter);
    if (supplies.length === 0) {
      throw new VeilgridError("unknown-meter", `KGCBP supplies no meter ${meter}`, {
        facts: { meter },
        blame: "caller",
      });
    }
    const firsts = new Map<string, Promise<Period | undefined>>();
    const judged: Judged[] = [];
    for (const value of [...values].sort((a, b) => comparePeriods(a.period, b.period))) {
      const { period } = value;
      const supply = supplies.findLast(({ from, to }) => {
        return comparePeriods(from, period) <= 0 && (to === undefined || comparePeriods(period, to) < 0);
      });
      if (supply === undefined) judged.push({ ...value, status: "unbilled" });
      else judged.push({ ...value, bid: supply.bid, status: await this.#judge(supply, value, firsts) });
    }
    return judged;
  }

  async #judge(
    supply: Enrolment,
    value: LoggedValue,
    firsts: Map<string, Promise<Period | undefined>>,
  ): Promise<SettleStatus> {
    const { period } = value;
    const { erased } = this.#desk.keys;
    if (erased !== undefined && period.month <= erased) return "erased";
    const known = this.#corrections.find(supply.bid, period);
    if (known !== undefined) return sameAs(known, value);
    const measured = await this.#onLedger(supply, value);
    if (measured !== undefined) return measured;
    const name = `${toHex(supply.bid)}/${period.month}`;
    const first = firsts.get(name) ?? this.#firstBilled(supply.bid, period.month);
    firsts.set(name, first);
    const billedFrom = await first;
    return billedFrom === undefined || comparePeriods(period, billedFrom) < 0 ? "unbilled" : "settled";
  }

  /** Why the ledger says that there is nothing to settle. */
  async #onLedger(supply: Enrolment, value: LoggedValue): Promise<SettleStatus | undefined> {
    const { view } = this.#desk;
    const { period, wh } = value;
    const { region } = supply;
    const params = (await view.periodParams(region, period)) ?? (await view.currentParams());
    const bound = BigInt(params.maxWhPerPeriod);
    const implausible = wh > bound || -wh > bound ? "implausible" : undefined;
    if (!(await this.#isCovered(region, period)))
      return (await this.#isPassed(region, period)) ? implausible : "pending";
    if ((await view.readings(region, period)) === undefined) return "pending";
    const reading = await this.#measured(supply, period);
    if (reading === undefined) return implausible;
    if (reading === wh) return "measured";
    throw refused(
      "measured",
      "the ledger has the meter's reading of the period, and the log says something else",
      value,
    );
  }

  async #isCovered(region: number, { month, k }: Period): Promise<boolean> {
    const entries = await this.#desk.view.epochs(region, month);
    return entries.some((entry) => entry.k <= k && k < entry.k + entry.periods);
  }

  /** "An epoch begins after the last period of the region's last committed epoch": what lies before never has one. */
  async #isPassed(region: number, period: Period): Promise<boolean> {
    const { lastCovered } = await this.#desk.view.head(region);
    return lastCovered !== undefined && comparePeriods(period, lastCovered) < 0;
  }

  async #measured({ bid, region, from }: Enrolment, period: Period): Promise<bigint | undefined> {
    const entry = await this.#settlements.entry(region, period);
    const { members } = await this.#book.committed(region, period.month, entry);
    const own = enrolmentName({ bid, from });
    const member = members.findIndex((one) => enrolmentName(one) === own);
    const outcome = member < 0 ? undefined : (await this.#settlements.of(region, period))[member];
    return outcome?.state === "complete" ? outcome.consumption : undefined;
  }

  /** "A bill covers the customer's supply: from its first leaf's period": that of the month. */
  async #firstBilled(bid: Uint8Array, month: number): Promise<Period | undefined> {
    const own = toHex(bid);
    const firsts: Period[] = [];
    for (const region of await this.#desk.view.regions()) {
      for (const entry of await this.#desk.view.epochs(region, month)) {
        const { members } = await this.#book.committed(region, month, entry);
        const begins = members.some((one) => one.begins && toHex(one.bid) === own);
        if (!begins) continue;
        firsts.push({ month, k: entry.k });
        break;
      }
    }
    return firsts.sort(comparePeriods)[0];
  }
}

function sameAs(known: KeptCorrection, value: LoggedValue): SettleStatus {
  if (known.wh === value.wh) return "known";
  throw refused("settled-otherwise", "the period is settled with another value", value, {
    settledWh: String(known.wh),
  });
}
