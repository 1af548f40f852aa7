import {
  Reader,
  Writer,
  encodeReport,
  plaintextBytes,
  toHex,
  type BillEntry,
  type ReportDelta,
  type Tariff,
} from "@veilgrid/protocol";
import { billReport, issueBill, seededBill, type BillTerms, type CustomerMonth } from "../bill/issue.js";
import type { ContentStore } from "../ports/content.js";
import type { Random } from "../ports/random.js";
import type { Change } from "../ports/store.js";
import type { CaseDesk } from "./case-desk.js";
import { Corrections } from "./corrections.js";
import { CustomerMonths, lastMonth } from "./customer-months.js";
import { DeltaPlanner, type DeltaPlan } from "./deltas.js";
import type { Desk } from "./desk.js";
import type { MonthReader } from "./month.js";
import { billedName, monthPart } from "./names.js";

/** How bills are made. */
export interface BillingOptions {
  readonly tariff: Tariff;
  /** An IANA name: the zone that times are shown in. */
  readonly timeZone: string;
  /** Where the ciphertexts' randomness comes from in a run with a seed; otherwise it is the platform's. */
  readonly seed?: Random;
}

/** What bills are made from. */
export interface IssuingModules {
  readonly desk: Desk;
  readonly months: MonthReader;
  readonly cases: CaseDesk;
  readonly content: ContentStore;
}

/** What is billed together: months are read once. */
export interface IssuingSession {
  readonly months: CustomerMonths;
  readonly planner: DeltaPlanner;
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

function entryName(month: number, bid: string): string {
  return `bill/${monthPart(month)}/${bid}`;
}

/**
 * Makes bills, each once: a second encryption of one would have another hash, so each is kept before anyone is told, in
 * the same write as what it settles and charges.
 */
export class Issuing {
  readonly corrections: Corrections;
  readonly #options: BillingOptions;
  readonly #modules: IssuingModules;

  constructor(options: BillingOptions, modules: IssuingModules) {
    this.#options = options;
    this.#modules = modules;
    this.corrections = new Corrections(modules.desk.store);
  }

  async session(): Promise<IssuingSession> {
    const months = new CustomerMonths(this.#modules, this.#options.tariff);
    return { months, planner: new DeltaPlanner(this.#modules.desk.view, months, await this.corrections.all()) };
  }

  /** The newest bill of a month that was made. */
  find(month: number, bid: Uint8Array): BillEntry | undefined {
    const bytes = this.#modules.desk.store.get(entryName(month, toHex(bid)));
    return bytes === undefined ? undefined : decodeEntry(bid, bytes);
  }

  /** The months of which a customer was billed, ascending. */
  billedMonths(bid: Uint8Array, first: number, last: number): number[] {
    const months = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    return months.filter((month) => this.find(month, bid) !== undefined);
  }

  async #terms(month: number, months: CustomerMonths): Promise<BillTerms> {
    const { desk } = this.#modules;
    const { periodSeconds, billBytes } = await desk.view.currentParams();
    const { timeZone } = this.#options;
    return { consortium: desk.consortium, month, periodSeconds, billBytes, tariff: months.tariff(month), timeZone };
  }

  /** What a bill settles, as far as it has room. */
  async #plan(customer: CustomerMonth, terms: BillTerms, { planner }: IssuingSession): Promise<DeltaPlan> {
    const room = plaintextBytes(terms.billBytes);
    const fits = (deltas: readonly ReportDelta[]): boolean =>
      deltas.length === 0 || encodeReport(billReport(customer, terms, deltas)).length <= room;
    const isLast = this.#isLast(customer.bid, terms.month);
    return planner.plan({ bid: toHex(customer.bid), month: terms.month, isLast, fits });
  }

  /** Whether no later month is billed: the supply ends in it, or in one that had no bill and is over. */
  #isLast(bid: Uint8Array, month: number): boolean {
    const { register, store } = this.#modules.desk;
    const { to } = register.newest(bid);
    if (to === undefined) return false;
    return lastMonth(to) <= month || store.get(billedName(lastMonth(to))) !== undefined;
  }

  /** Makes a customer's bill of a month. @param more changes of the store that go with it. */
  async issue(
    customer: CustomerMonth,
    bill: { readonly month: number; readonly revision: number; readonly more?: readonly Change[] },
    session: IssuingSession,
  ): Promise<BillEntry> {
    const { desk, content } = this.#modules;
    const { month, revision, more = [] } = bill;
    const { bid, recipient } = customer;
    const terms = await this.#terms(month, session.months);
    const { deltas, carried } = await this.#plan(customer, terms, session);
    const report = billReport(customer, terms, deltas);
    const { seed } = this.#options;
    const seeded = seed && seededBill(seed, month, { bid, revision });
    const draft = { report, recipient, billBytes: terms.billBytes, revision };
    const entry = await issueBill(draft, content, seeded);
    await desk.store.write([
      { key: entryName(month, toHex(bid)), value: encodeEntry(entry) },
      session.months.keepTariff(month),
      session.months.keepCharges(month, customer),
      ...carried.map((one) => this.corrections.keep({ ...one, carried: month })),
      ...more,
    ]);
    if (deltas.length > 0) desk.log("info", "month-settled", { month, revision, periods: carried.length });
    return entry;
  }

  /** What a revision of a customer's bill would settle that its newest one does not. */
  async unsettled(customer: CustomerMonth, month: number, session: IssuingSession): Promise<number> {
    const { carried } = await this.#plan(customer, await this.#terms(month, session.months), session);
    return carried.filter((one) => one.carried === undefined).length;
  }
}
