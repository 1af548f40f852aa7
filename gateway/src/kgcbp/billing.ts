import {
  KIND,
  MAX_BILLS,
  billsCodec,
  monthAt,
  monthCloses,
  toHex,
  type BillEntry,
  type Bills,
  type Header,
} from "@veilgrid/protocol";
import { ascendingByBid } from "../bill/issue.js";
import { transactionStep } from "../committed/outbox.js";
import { Exclusive } from "../exclusive.js";
import type { Timer } from "../ports/clock.js";
import type { Desk } from "./desk.js";
import type { Issuing } from "./issuing.js";
import { billedName, monthPart as monthKey } from "./names.js";

/**
 * Bills every month that all regions have closed, "when nothing can be signed with its seeds any more": each bill is made
 * once and kept before the transaction that names it is sent.
 */
export class Billing {
  readonly #desk: Desk;
  readonly #issuing: Issuing;
  readonly #onBilled: () => Promise<void>;
  /** One after the other: while one makes bills, which takes its time, another would make them a second time. */
  readonly #turn = new Exclusive();
  /** Runs out when the month to bill next is over; gone when it has. */
  #timer: Timer | undefined;
  /** The bills on their way. */
  #sent: { readonly month: number; chunks: Bills[] } | undefined;

  /** @param onBilled is called when all bills of a month are on the ledger. */
  constructor(desk: Desk, issuing: Issuing, onBilled: () => Promise<void>) {
    this.#desk = desk;
    this.#issuing = issuing;
    this.#onBilled = onBilled;
  }

  start(): Promise<void> {
    return this.#turn.run(() => this.#plan());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** An epoch was committed: it may be the first one. */
  onEpoch(): Promise<void> {
    return this.#turn.run(async () => {
      if (this.#timer === undefined) await this.#plan();
    });
  }

  /** Prices were committed: a month that is over may be closed with them. */
  async onPrices({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    await this.#turn.run(async () => {
      if (this.#timer === undefined && this.#sent === undefined) await this.#plan();
    });
  }

  /** Bills were committed. */
  async onBills({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    await this.#turn.run(async () => {
      if (this.#sent !== undefined) await this.#settle(this.#sent);
    });
  }

  async #settle(sent: { readonly month: number; chunks: Bills[] }): Promise<void> {
    const still: Bills[] = [];
    for (const chunk of sent.chunks) {
      if (await this.#isCommitted(chunk)) this.#desk.outbox.remove(chunkName(chunk));
      else still.push(chunk);
    }
    sent.chunks = still;
    if (still.length > 0) return;
    this.#sent = undefined;
    await this.#desk.store.write([{ key: billedName(sent.month), value: new Uint8Array() }]);
    await this.#onBilled();
    await this.#plan();
  }

  async #isCommitted({ month, entries }: Bills): Promise<boolean> {
    return (await this.#desk.view.bill((entries[0] as BillEntry).bid, month)) !== undefined;
  }

  /** Waits for the end of the first month without bills, or bills it where it is over and closed. */
  async #plan(): Promise<void> {
    const month = await this.#nextMonth();
    if (month === undefined) return;
    const closes = monthCloses(month, await this.#desk.view.currentParams());
    if (this.#desk.clock.now() < closes) this.#wait(month, closes);
    else if (await this.#isClosed(month)) await this.#bill(month);
  }

  #wait(month: number, closes: number): void {
    this.#timer?.cancel();
    this.#timer = this.#desk.clock.at(closes, `bills of month ${month}`, () => {
      this.#timer = undefined;
      return this.#turn.run(() => this.#plan());
    });
  }

  async #nextMonth(): Promise<number | undefined> {
    const firsts: number[] = [];
    for (const region of await this.#desk.view.regions()) {
      const { firstCovered } = await this.#desk.view.head(region);
      if (firstCovered !== undefined) firsts.push(firstCovered.month);
    }
    if (firsts.length === 0) return undefined;
    const now = monthAt(this.#desk.clock.now());
    let month = Math.min(...firsts);
    while (month < now && this.#isBilled(month)) month += 1;
    return this.#isBilled(month) ? undefined : month;
  }

  /** What is erased was billed, whatever a backup has forgotten. */
  #isBilled(month: number): boolean {
    const { keys, store } = this.#desk;
    return store.get(billedName(month)) !== undefined || (keys.erased !== undefined && month <= keys.erased);
  }

  /** "seeds are revealed only when *every region* has closed the month" */
  async #isClosed(month: number): Promise<boolean> {
    for (const region of await this.#desk.view.regions()) {
      if (!(await this.#desk.view.monthClosed(region, month))) return false;
    }
    return true;
  }

  async #bill(month: number): Promise<void> {
    const session = await this.#issuing.session();
    const entries: BillEntry[] = [];
    for (const customer of (await session.months.of(month)).values()) {
      const made = this.#issuing.find(month, customer.bid);
      entries.push(made ?? (await this.#issuing.issue(customer, { month, revision: 0 }, session)));
    }
    await this.#send(month, ascendingByBid(entries));
  }

  /** "A `bills` transaction has up to 1 000 entries … ascending by BID under one KGCBP signature." */
  async #send(month: number, entries: readonly BillEntry[]): Promise<void> {
    const chunks: Bills[] = [];
    for (let at = 0; at < entries.length; at += MAX_BILLS) {
      chunks.push({ month, entries: entries.slice(at, at + MAX_BILLS) });
    }
    this.#sent = { month, chunks };
    this.#desk.log("info", "month-billed", { month, bills: entries.length });
    for (const chunk of chunks) {
      if (await this.#isCommitted(chunk)) continue;
      const leaf = this.#desk.sign("bills", billsCodec.encode(chunk));
      await this.#desk.outbox.add(chunkName(chunk), [transactionStep({ kind: KIND.bills, leaf })]);
    }
    await this.#settle(this.#sent);
  }
}

function chunkName({ month, entries }: Bills): string {
  return `bills/${monthKey(month)}/${toHex((entries[0] as BillEntry).bid)}`;
}
