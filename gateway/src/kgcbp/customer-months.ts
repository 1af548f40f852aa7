import {
  Reader,
  Writer,
  canonicalBytes,
  fromHex,
  parseTariff,
  periodsInMonth,
  tariffJson,
  toHex,
  type BilledMonth,
  type Period,
  type Tariff,
} from "@veilgrid/protocol";
import { suppliedMonth, type CustomerMonth, type LeafMonth, type SuppliedMonth } from "../bill/issue.js";
import type { Change } from "../ports/store.js";
import type { CaseDesk, Charge } from "./case-desk.js";
import type { Desk } from "./desk.js";
import type { MonthReader, RegionMonth } from "./month.js";
import { enrolmentName, monthPart } from "./names.js";

/** A region's month with the faults that its meters are charged for. */
interface ChargedMonth extends RegionMonth {
  /** By enrolment. */
  readonly charges: ReadonlyMap<string, readonly Charge[]>;
}

/** A month of a customer as it was billed. */
export interface CustomersBilledMonth {
  readonly billed: BilledMonth;
  readonly supplied: SuppliedMonth;
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

function tariffName(month: number): string {
  return `tariff/${monthPart(month)}`;
}

function chargedName(month: number, bid: string): string {
  return `charged/${monthPart(month)}/${bid}`;
}

/** The month of the last period of a supply that ends there. @param to exclusive. */
export function lastMonth(to: Period): number {
  return to.k === 0 ? to.month - 1 : to.month;
}

/**
 * Customers' closed months, read once each: make one for what is billed together. What a bill was made with beyond the
 * ledger and the settlements, its tariff and charges, is kept with it: it is recomputed by the same.
 */
export class CustomerMonths {
  readonly #desk: Desk;
  readonly #months: MonthReader;
  readonly #cases: CaseDesk;
  readonly #tariff: Tariff;
  readonly #read = new Map<number, ReadonlyMap<string, CustomerMonth>>();

  /** @param tariff of what is billed now. */
  constructor(
    modules: { readonly desk: Desk; readonly months: MonthReader; readonly cases: CaseDesk },
    tariff: Tariff,
  ) {
    this.#desk = modules.desk;
    this.#months = modules.months;
    this.#cases = modules.cases;
    this.#tariff = tariff;
  }

  /** By BID (hex). */
  async of(month: number): Promise<ReadonlyMap<string, CustomerMonth>> {
    const known = this.#read.get(month);
    if (known !== undefined) return known;
    const read = await this.#readMonth(month);
    this.#read.set(month, read);
    return read;
  }

  async #readMonth(month: number): Promise<Map<string, CustomerMonth>> {
    const regions: ChargedMonth[] = [];
    for (const region of await this.#desk.view.regions()) {
      const charges = await this.#cases.charges(region, month);
      regions.push({ ...(await this.#months.read(region, month)), charges });
    }
    const { periodSeconds } = await this.#desk.view.currentParams();
    const customers = new Map<string, CustomerMonth>();
    for (const [bid, leaves] of byCustomer(regions)) {
      customers.set(bid, this.#customer(bid, leaves, month, periodsInMonth(month, periodSeconds)));
    }
    return customers;
  }

  #customer(bid: string, leaves: readonly LeafMonth[], month: number, periods: number): CustomerMonth {
    const { recipient, to } = this.#desk.register.newest(fromHex(bid));
    const charged = this.#chargedIn(month, bid);
    return {
      bid: fromHex(bid),
      recipient,
      // "to the stated end (`to` in the report; else the month's end)"
      to: to?.month === month ? to.k : periods,
      caseKey: this.#cases.caseKey(month),
      leaves: leaves.map((leaf) => ({ ...leaf, charges: leaf.charges.filter(({ k }) => charged?.has(k) ?? true) })),
    };
  }

  /** The tariff that a month was, or else is, billed by. */
  tariff(month: number): Tariff {
    const bytes = this.#desk.store.get(tariffName(month));
    return bytes === undefined ? this.#tariff : parseTariff(JSON.parse(new TextDecoder().decode(bytes)));
  }

  /** The change of the store that keeps a month's tariff. */
  keepTariff(month: number): Change {
    return { key: tariffName(month), value: canonicalBytes(tariffJson(this.tariff(month))) };
  }

  /** The periods whose faults a bill charged for. */
  #chargedIn(month: number, bid: string): Set<number> | undefined {
    const bytes = this.#desk.store.get(chargedName(month, bid));
    if (bytes === undefined) return undefined;
    const reader = new Reader(bytes, "charged periods");
    const charged = new Set<number>();
    for (let left = reader.u16(); left > 0; left -= 1) charged.add(reader.u16());
    reader.end();
    return charged;
  }

  /** The change of the store that keeps which faults a bill charges for. */
  keepCharges(month: number, customer: CustomerMonth): Change {
    const charged = customer.leaves.flatMap(({ charges }) => charges.map(({ k }) => k));
    const writer = new Writer().u16(charged.length);
    for (const k of charged) writer.u16(k);
    return { key: chargedName(month, toHex(customer.bid)), value: writer.bytes() };
  }

  /** A customer's month as it was billed; undefined where it had no bill. @param bid hex. */
  async billed(month: number, bid: string): Promise<CustomersBilledMonth | undefined> {
    const customer = (await this.of(month)).get(bid);
    if (customer === undefined) return undefined;
    const { periodSeconds } = await this.#desk.view.currentParams();
    const supplied = suppliedMonth(customer);
    const { supply, readings, prices, penalties } = supplied;
    const tariff = this.tariff(month);
    const faults = tariff.faultPenalty === undefined ? 0 : penalties.cases.length;
    return { billed: { tariff, periodSeconds, from: supply.from, readings, prices, faults }, supplied };
  }
}
