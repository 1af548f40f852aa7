import {
  KIND,
  MAX_BILLS,
  Reader,
  Writer,
  billsCodec,
  fromHex,
  monthAt,
  monthCloses,
  periodsInMonth,
  toHex,
  type BillEntry,
  type Bills,
  type Header,
  type Tariff,
} from "@veilgrid/protocol";
import {
  ascendingByBid,
  issueBill,
  seededBill,
  type BillTerms,
  type CustomerMonth,
  type LeafMonth,
} from "../bill/issue.js";
import { transactionStep } from "../committed/outbox.js";
import type { Timer } from "../ports/clock.js";
import type { ContentStore } from "../ports/content.js";
import type { Random } from "../ports/random.js";
import type { CaseDesk, Charge } from "./case-desk.js";
import type { Desk } from "./desk.js";
import type { MonthReader, RegionMonth } from "./month.js";
import { billedName, enrolmentName, monthPart as monthKey } from "./names.js";

/** How bills are made. */
export interface BillingOptions {
  readonly tariff: Tariff;
  /** An IANA name: the zone that times are shown in. */
  readonly timeZone: string;
  /** Where the ciphertexts' randomness comes from in a run with a seed; otherwise it is the platform's. */
  readonly seed?: Random;
}

function encodeEntry({ revision, cid, hash }: BillEntry): Uint8Array {
  return new Writer().u16(revision).opaque(cid, 1, 64).fixed(hash, 32).bytes();
}

function decodeEntry(bid: Uint8Array, bytes: Uint8Array): BillEntry {
  const reader = new Reader(bytes, "issued bill");
  const entry = { bid, revision: reader.u16(), cid: reader.opaque(1, 64), hash: reader.fixed(32) };
  reader.end();
  return entry;
}

/** A region's month with the faults that its meters are charged for. */
interface ChargedMonth extends RegionMonth {
  /** By enrolment. */
  readonly charges: ReadonlyMap<string, readonly Charge[]>;
}

/** What the regions' months say of each customer of a month, by BID (hex). */
function byCustomer(regions: readonly ChargedMonth[]): Map<string, LeafMonth[]> {
  const customers = new Map<string, LeafMonth[]>();
  for (const { rows, counted, charges, prices, leaves } of regions) {
    for (const { member, leaf } of leaves) {
      const name = enrolmentName(member);
      const own = {
        readings: rows.get(name) ?? [],
        counted: counted.get(name) ?? [],
        charges: charges.get(name) ?? [],
      };
      const one = { leaf, prices, ...own };
      const bid = toHex(member.bid);
      customers.set(bid, [...(customers.get(bid) ?? []), one]);
    }
  }
  return customers;
}

/**
 * Bills every month that all regions have closed, "when nothing can be signed with its seeds any more": each bill is made
 * once and kept before the transaction that names it is sent.
 */
export class Billing {
  readonly #options: BillingOptions;
  readonly #desk: Desk;
  readonly #months: MonthReader;
  readonly #cases: CaseDesk;
  readonly #content: ContentStore;
  readonly #onBilled: () => Promise<void>;
  /** Runs out when the month to bill next is over; gone when it has. */
  #timer: Timer | undefined;
  /** The bills on their way. */
  #sent: { readonly month: number; chunks: Bills[] } | undefined;

  /** @param modules `onBilled` is called when all bills of a month are on the ledger. */
  constructor(
    options: BillingOptions,
    modules: {
      readonly desk: Desk;
      readonly months: MonthReader;
      readonly cases: CaseDesk;
      readonly content: ContentStore;
      readonly onBilled: () => Promise<void>;
    },
  ) {
    this.#options = options;
    this.#desk = modules.desk;
    this.#months = modules.months;
    this.#cases = modules.cases;
    this.#content = modules.content;
    this.#onBilled = modules.onBilled;
  }

  async start(): Promise<void> {
    await this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** An epoch was committed: it may be the first one. */
  async onEpoch(): Promise<void> {
    if (this.#timer === undefined) await this.#plan();
  }

  /** Prices were committed: a month that is over may be closed with them. */
  async onPrices({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    if (this.#timer === undefined && this.#sent === undefined) await this.#plan();
  }

  /** Bills were committed. */
  async onBills({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    if (this.#sent !== undefined) await this.#settle(this.#sent);
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
      return this.#plan();
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
    const regions: ChargedMonth[] = [];
    for (const region of await this.#desk.view.regions()) {
      const charges = await this.#cases.charges(region, month);
      regions.push({ ...(await this.#months.read(region, month)), charges });
    }
    const terms = await this.#terms(month);
    const entries: BillEntry[] = [];
    for (const [bid, leaves] of byCustomer(regions)) {
      entries.push(this.#issued(month, bid) ?? (await this.#issue(this.#customer(bid, leaves, terms), terms)));
    }
    await this.#send(month, ascendingByBid(entries));
  }

  async #terms(month: number): Promise<BillTerms> {
    const { periodSeconds, billBytes } = await this.#desk.view.currentParams();
    const { tariff, timeZone } = this.#options;
    return { consortium: this.#desk.consortium, month, periodSeconds, billBytes, tariff, timeZone };
  }

  #customer(bid: string, leaves: readonly LeafMonth[], { month, periodSeconds }: BillTerms): CustomerMonth {
    const { recipient, to } = this.#desk.register.newest(fromHex(bid));
    // "to the stated end (`to` in the report; else the month's end)"
    const end = to?.month === month ? to.k : periodsInMonth(month, periodSeconds);
    return { bid: fromHex(bid), recipient, to: end, caseKey: this.#cases.caseKey(month), leaves };
  }

  #issued(month: number, bid: string): BillEntry | undefined {
    const bytes = this.#desk.store.get(`bill/${monthKey(month)}/${bid}`);
    return bytes === undefined ? undefined : decodeEntry(fromHex(bid), bytes);
  }

  /** A second encryption of a bill would have another hash, so each is kept before anyone is told. */
  async #issue(customer: CustomerMonth, terms: BillTerms): Promise<BillEntry> {
    const { seed } = this.#options;
    const seeded = seed && seededBill(seed, terms.month, customer.bid);
    const entry = await issueBill(customer, terms, this.#content, seeded);
    const key = `bill/${monthKey(terms.month)}/${toHex(customer.bid)}`;
    await this.#desk.store.write([{ key, value: encodeEntry(entry) }]);
    return entry;
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
