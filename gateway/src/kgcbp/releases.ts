import {
  KIND,
  comparePeriods,
  maskCodec,
  nextPeriod,
  type Header,
  type Period,
  type ReadingsRecord,
} from "@veilgrid/protocol";
import { transactionStep } from "../committed/outbox.js";
import { Cursor } from "./cursor.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import { slotName } from "./names.js";
import { isReleaseDue, releaseOf } from "./release.js";
import type { Settlements } from "./settlements.js";
import type { Outcome } from "./tally.js";

function completeCount(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ state }) => state === "complete").length;
}

/**
 * Settles every committed readings block and releases its masks, once; what is not yet committed of it is repeated, and
 * made again after a restart.
 */
export class Releases {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #settlements: Settlements;
  readonly #cursor: Cursor;
  /** By region, ascending: committed periods whose release is due and not committed. */
  readonly #waiting = new Map<number, Period[]>();

  constructor(desk: Desk, book: EpochBook, settlements: Settlements) {
    this.#desk = desk;
    this.#book = book;
    this.#settlements = settlements;
    this.#cursor = new Cursor(desk.store, "released");
  }

  /** Goes through the committed periods from the first one on that was not known to be done. */
  async start(): Promise<void> {
    for (const region of await this.#desk.view.regions()) {
      const { firstCovered, lastReadings } = await this.#desk.view.head(region);
      if (firstCovered === undefined || lastReadings === undefined) continue;
      const from = this.#desk.kept(this.#cursor.of(region) ?? firstCovered);
      for await (const period of this.#committed(region, from, lastReadings)) {
        await this.#settle(region, period);
      }
    }
  }

  /** The periods with a readings block from `from` to `to`, in their order. */
  async *#committed(region: number, from: Period, to: Period): AsyncGenerator<Period> {
    const { periodSeconds } = await this.#desk.view.currentParams();
    for (let at = from; comparePeriods(at, to) <= 0; at = nextPeriod(at, periodSeconds)) {
      if ((await this.#desk.view.readings(region, at)) !== undefined) yield at;
    }
  }

  /** A readings block was committed. */
  async onReadings({ region, period }: Header): Promise<void> {
    await this.#settle(region, period);
  }

  /** Mask releases were committed. */
  async onMasks({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    for (const [region, periods] of this.#waiting) {
      const still: Period[] = [];
      for (const period of periods) {
        if ((await this.#desk.view.mask(region, period)) === undefined) still.push(period);
        else this.#desk.outbox.remove(`mask/${slotName(region, period)}`);
      }
      this.#waiting.set(region, still);
    }
  }

  async #settle(region: number, period: Period): Promise<void> {
    const name = `mask/${slotName(region, period)}`;
    // Already on its way: an event may tell what a start has seen on the ledger.
    if (this.#desk.outbox.has(name)) return;
    const readings = await this.#desk.view.readings(region, period);
    const kept = this.#settlements.find(region, period);
    if (readings === undefined || (kept !== undefined && (await this.#isDone(region, period, readings, kept)))) return;
    const settled = await this.#settlements.settle(region, period);
    const { block, keys, outcomes, params } = settled;
    const mask = releaseOf(block, keys, outcomes, params);
    const due = mask !== undefined && (await this.#desk.view.mask(region, period)) === undefined;
    if (due) this.#waiting.set(region, [...(this.#waiting.get(region) ?? []), period]);
    await this.#keep(region, period, outcomes, params.periodSeconds);
    this.#desk.log("info", "period-settled", {
      region,
      month: period.month,
      k: period.k,
      meters: outcomes.length,
      complete: completeCount(outcomes),
    });
    if (due) await this.#post(name, maskCodec.encode(mask));
    const last = keys.record.first.k + keys.record.periods - 1;
    if (period.k === last) this.#book.close(keys.record);
  }

  /** Whether nothing is left to do for a period that was settled before. */
  async #isDone(
    region: number,
    period: Period,
    readings: ReadingsRecord,
    outcomes: readonly Outcome[],
  ): Promise<boolean> {
    if ((await this.#desk.view.mask(region, period)) !== undefined) return true;
    const params = await this.#desk.view.periodParams(region, period);
    return params !== undefined && !isReleaseDue(readings, completeCount(outcomes), params);
  }

  async #post(name: string, body: Uint8Array): Promise<void> {
    const leaf = this.#desk.sign("mask", body);
    await this.#desk.outbox.add(name, [transactionStep({ kind: KIND.masks, leaf })]);
  }

  /** Keeps the settlement, and the first period that a restart has to look at again. */
  async #keep(region: number, period: Period, outcomes: readonly Outcome[], periodSeconds: number): Promise<void> {
    const cursor = this.#cursor.at(region, this.#waiting.get(region)?.[0] ?? nextPeriod(period, periodSeconds));
    await this.#desk.store.write([this.#settlements.keep(region, period, outcomes), cursor]);
  }
}
