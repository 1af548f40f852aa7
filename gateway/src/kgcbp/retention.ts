import { VeilgridError, monthAt, monthEnd, monthName, type Params } from "@veilgrid/protocol";
import type { Timer } from "../ports/clock.js";
import type { Cases } from "./cases.js";
import { closesAt } from "./closing.js";
import { Corrections, type KeptCorrection } from "./corrections.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import { billedName } from "./names.js";

/** A month of KGCBP's, as its operator sees it. */
export interface KeptMonth {
  readonly month: number;
  readonly billed: boolean;
  /** Regions that are closed on the ledger, of those that have epochs in the month. */
  readonly closed: number;
  readonly regions: number;
  /** When KGCBP closes it, and when it erases its keys: Unix milliseconds. */
  readonly closesAt: number;
  readonly erasesAt: number;
  readonly erased: boolean;
}

/** How a month is erased. */
export interface EraseOptions {
  /** Before `retentionMonths` have passed. */
  readonly early?: boolean;
  /** Although settled periods are on no bill yet, and then never will be. */
  readonly force?: boolean;
  /** Says what would be erased, and changes nothing. */
  readonly dryRun?: boolean;
}

function refused(code: string, message: string, month: number): VeilgridError {
  return new VeilgridError(code, message, { facts: { month: monthName(month) }, blame: "operator" });
}

/**
 * "KGCBP keeps month keys for `retentionMonths` …; deleting that key *is* erasure, in every backup too" (PROTOCOL section
 * 4, Key generation). Erased with a month's keys is all that would tell of it: settlements, cases and findings. What is
 * on the ledger, in bills and in meters is not KGCBP's to erase.
 */
export class Retention {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #cases: Cases;
  readonly #corrections: Corrections;
  #timer: Timer | undefined;

  constructor(desk: Desk, book: EpochBook, cases: Cases) {
    this.#desk = desk;
    this.#book = book;
    this.#cases = cases;
    this.#corrections = new Corrections(desk.store);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** KGCBP starts, or something was committed that erasure may have waited for. */
  onChange(): Promise<void> {
    return this.#plan();
  }

  /** An epoch was committed: it may be the first one. */
  async onEpoch(): Promise<void> {
    if (this.#timer === undefined) await this.#plan();
  }

  /** The months from the first one that had an epoch to the present one. */
  async list(): Promise<KeptMonth[]> {
    const first = await this.#firstMonth();
    if (first === undefined) return [];
    const params = await this.#desk.view.currentParams();
    const months: KeptMonth[] = [];
    for (let month = first; month <= monthAt(this.#desk.clock.now()); month += 1) {
      months.push(await this.#describe(month, params));
    }
    return months;
  }

  async #describe(month: number, params: Params): Promise<KeptMonth> {
    const { view } = this.#desk;
    let [closed, regions] = [0, 0];
    for (const region of await view.regions()) {
      if ((await view.epochs(region, month)).length === 0) continue;
      regions += 1;
      if (await view.monthDeleted(region, month)) closed += 1;
    }
    const times = { closesAt: closesAt(month, params), erasesAt: erasesAt(month, params) };
    return { month, billed: this.#isBilled(month), closed, regions, ...times, erased: this.#isErased(month) };
  }

  #isBilled(month: number): boolean {
    return this.#desk.store.get(billedName(month)) !== undefined;
  }

  #isErased(month: number): boolean {
    const { erased } = this.#desk.keys;
    return erased !== undefined && month <= erased;
  }

  async #firstMonth(): Promise<number | undefined> {
    const { view } = this.#desk;
    const firsts: number[] = [];
    for (const region of await view.regions()) {
      const { firstCovered } = await view.head(region);
      if (firstCovered !== undefined) firsts.push(firstCovered.month);
    }
    return firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  /** The first month that is not erased. */
  async #oldest(): Promise<number | undefined> {
    const [first, { erased }] = [await this.#firstMonth(), this.#desk.keys];
    return first === undefined || erased === undefined ? first : Math.max(first, erased + 1);
  }

  /**
   * Erases a month and all before it. The months that it erased, ascending; none where that was done before.
   * @throws VeilgridError `retained`, `not-billed`, `case-open`, `settlement-pending`; then nothing changed.
   */
  erase(
    month: number,
    { early = false, force = false, dryRun = false }: EraseOptions = {},
  ): Promise<readonly number[]> {
    // Nobody changes the register or composes an epoch meanwhile.
    return this.#desk.register.exclusively(async () => {
      const oldest = await this.#oldest();
      if (oldest === undefined || month < oldest) return [];
      await this.#require(oldest, month, early);
      if (!force) await this.#requireCarried(month);
      const months = Array.from({ length: 1 + month - oldest }, (_, i) => oldest + i);
      if (!dryRun) await this.#erase(month);
      return months;
    });
  }

  async #erase(month: number): Promise<void> {
    await this.#desk.keys.erase(month);
    await this.#desk.store.sweep();
    this.#book.forget(month);
    this.#desk.log("info", "months-erased", { month });
  }

  async #require(oldest: number, month: number, early: boolean): Promise<void> {
    const { clock, view } = this.#desk;
    if (!early && clock.now() < erasesAt(month, await view.currentParams())) {
      throw refused("retained", "retentionMonths have not passed", month);
    }
    // A bill's deltas go on the next one, and need what it was made from.
    for (let one = oldest; one <= month + 1; one += 1) {
      if (!this.#isBilled(one)) throw refused("not-billed", "the month, or the one after it, is not billed", one);
    }
    if (await this.#hasOpenCase(month)) throw refused("case-open", "a case has no verdict yet", month);
  }

  /** What was settled of a month is lost with it, unless a bill has it. */
  async #requireCarried(month: number): Promise<void> {
    const pending = (await this.#corrections.all()).filter((one) => one.period.month <= month && !isCarried(one));
    const [first] = pending;
    if (first === undefined) return;
    const facts = { month: monthName(first.period.month), periods: pending.length };
    const sentence = `${facts.periods} settled periods, the first of ${facts.month}, are on no bill yet, and would never be`;
    throw new VeilgridError("settlement-pending", sentence, { facts, blame: "operator" });
  }

  async #hasOpenCase(month: number): Promise<boolean> {
    for (const { region, period, aggFault } of await this.#cases.all()) {
      if (period.month > month || !aggFault) continue;
      if ((await this.#desk.view.fault(region, period)) !== undefined) return true;
    }
    return false;
  }

  /** Erases what was kept long enough, and waits for what is due next. */
  async #plan(): Promise<void> {
    this.stop();
    const { clock, view } = this.#desk;
    const params = await view.currentParams();
    const [oldest, now] = [await this.#oldest(), clock.now()];
    if (oldest === undefined) return;
    let due = oldest;
    while (erasesAt(due, params) <= now && (await this.#eraseIfReady(due))) due += 1;
    if (now < erasesAt(due, params)) this.#wait(erasesAt(due, params));
  }

  async #eraseIfReady(month: number): Promise<boolean> {
    try {
      // Kept long enough is kept long enough: what no bill had room for in all that time does not hold it up.
      await this.erase(month, { force: true });
      return true;
    } catch (error) {
      // What it waits for is committed some time, and asks again.
      if (error instanceof VeilgridError && (error.code === "not-billed" || error.code === "case-open")) return false;
      throw error;
    }
  }

  #wait(time: number): void {
    this.#timer = this.#desk.clock.at(time, "erasure of month keys", () => {
      this.#timer = undefined;
      return this.#plan();
    });
  }
}

function erasesAt(month: number, { retentionMonths }: Params): number {
  return monthEnd(month + retentionMonths);
}

function isCarried({ carried }: KeptCorrection): boolean {
  return carried !== undefined;
}
