import { KIND, closeCodec, monthAt, monthCloses, monthEnd, type Header, type Params } from "@veilgrid/protocol";
import { transactionStep } from "../committed/outbox.js";
import type { Timer } from "../ports/clock.js";
import type { Desk } from "./desk.js";
import { billedName, monthPart } from "./names.js";

/** When a month may be closed: "valid when that month is closed there and `closeMonths` (2) have passed by TS". */
export function closesAt(month: number, params: Params): number {
  return Math.max(monthEnd(month + params.closeMonths), monthCloses(month, params));
}

function outboxName(region: number, month: number): string {
  return `close/${String(region).padStart(5, "0")}/${monthPart(month)}`;
}

/**
 * Closes each region-month whose bills are out, when it is time: "it deletes the month's bulk values from the state
 * database" (PROTOCOL section 4, Close). What is due follows from the ledger, so there is nothing to keep.
 */
export class Closing {
  readonly #desk: Desk;
  /** By region: all months before it are closed. */
  readonly #open = new Map<number, number>();
  #timer: Timer | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** An epoch was committed: it may be the first one. */
  async onEpoch(): Promise<void> {
    if (this.#timer === undefined) await this.#plan();
  }

  /** KGCBP starts, a month's bills are out, or another version of the parameters is in force. */
  onChange(): Promise<void> {
    return this.#plan();
  }

  /** Months were closed. */
  async onClose({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    await this.#plan();
  }

  /** Sends what is due, and waits for what is due next. */
  async #plan(): Promise<void> {
    const { clock, view } = this.#desk;
    const params = await view.currentParams();
    const waits: number[] = [];
    for (const region of await view.regions()) {
      const wait = await this.#planRegion(region, params);
      if (wait !== undefined) waits.push(wait);
    }
    this.stop();
    if (waits.length === 0) return;
    this.#timer = clock.at(Math.min(...waits), "closing of months", () => {
      this.#timer = undefined;
      return this.#plan();
    });
  }

  /** When the region's next month is due; undefined where nothing is until more is billed. */
  async #planRegion(region: number, params: Params): Promise<number | undefined> {
    const { clock, store, view } = this.#desk;
    const { firstCovered } = await view.head(region);
    if (firstCovered === undefined) return undefined;
    const now = clock.now();
    for (let month = this.#open.get(region) ?? firstCovered.month; month <= monthAt(now); month += 1) {
      if (await this.#isDone(region, month)) {
        this.#desk.outbox.remove(outboxName(region, month));
        if (month === (this.#open.get(region) ?? firstCovered.month)) this.#open.set(region, month + 1);
        continue;
      }
      if (now < closesAt(month, params)) return closesAt(month, params);
      // "by signing KGCBP says that its bills are out"
      if (store.get(billedName(month)) === undefined) return undefined;
      await this.#send(region, month);
    }
    return closesAt(monthAt(now), params);
  }

  /** Whether it is closed, or was never supplied once it is over. */
  async #isDone(region: number, month: number): Promise<boolean> {
    const { clock, view } = this.#desk;
    if (await view.monthDeleted(region, month)) return true;
    return month < monthAt(clock.now()) && (await view.epochs(region, month)).length === 0;
  }

  async #send(region: number, month: number): Promise<void> {
    const { outbox, log } = this.#desk;
    const name = outboxName(region, month);
    if (outbox.has(name)) return;
    const leaf = this.#desk.sign("close", closeCodec.encode({ region, month }));
    await outbox.add(name, [transactionStep({ kind: KIND.close, leaf })]);
    log("info", "month-closing", { region, month });
  }
}
