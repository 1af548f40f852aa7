import { periodsInMonth, type EpochRecord as LedgerEpoch, type OwnLeaf, type Period } from "@veilgrid/protocol";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import type { EpochMember, EpochRecord } from "./epoch-record.js";
import { enrolmentName } from "./names.js";
import { SeedTree } from "./seed-tree.js";
import type { Settlements } from "./settlements.js";

/** A meter's month under one enrolment: complete readings in signed Wh by k. */
export type MonthRow = (bigint | undefined)[];

/** A month of a region as bills need it. */
export interface RegionMonth {
  readonly region: number;
  /** By enrolment; one entry for each period of the month. */
  readonly rows: ReadonlyMap<string, MonthRow>;
  /** By enrolment, by k: whether the epoch that covers the period counts it. */
  readonly counted: ReadonlyMap<string, readonly boolean[]>;
  /** The month's prices in micro-units per kWh, by k; undefined where no epoch covers the period. */
  readonly prices: readonly (bigint | undefined)[];
  /** The leaves of the enrolments that begin in the month. */
  readonly leaves: readonly { readonly member: EpochMember; readonly leaf: OwnLeaf }[];
}

/** Gathers a closed month of a region from the settlements and the ledger. */
export class MonthReader {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #settlements: Settlements;

  constructor(desk: Desk, book: EpochBook, settlements: Settlements) {
    this.#desk = desk;
    this.#book = book;
    this.#settlements = settlements;
  }

  async read(region: number, month: number): Promise<RegionMonth> {
    const { periodSeconds } = await this.#desk.view.currentParams();
    const count = periodsInMonth(month, periodSeconds);
    const rows = new Map<string, MonthRow>();
    const counted = new Map<string, boolean[]>();
    const prices = new Array<bigint | undefined>(count).fill(undefined);
    const leaves: { member: EpochMember; leaf: OwnLeaf }[] = [];
    for (const entry of await this.#desk.view.epochs(region, month)) {
      const record = await this.#book.committed(region, month, entry);
      for (const { bid, from } of record.members) {
        const name = enrolmentName({ bid, from });
        if (!rows.has(name)) rows.set(name, new Array<bigint | undefined>(count).fill(undefined));
        const row = counted.get(name) ?? new Array<boolean>(count).fill(false);
        counted.set(name, row.fill(true, entry.k, entry.k + entry.periods));
      }
      leaves.push(...(await this.#leaves(record, entry)));
      for (let k = entry.k; k < entry.k + entry.periods; k += 1) {
        prices[k] = (await this.#desk.view.price(region, { month, k }))?.price;
        await this.#fill(rows, record, { month, k });
      }
      // A settlement made again has opened its epoch's keys.
      this.#book.close(record);
    }
    return { region, rows, counted, prices, leaves };
  }

  async #fill(rows: ReadonlyMap<string, MonthRow>, record: EpochRecord, period: Period): Promise<void> {
    const outcomes = await this.#settlements.of(record.region, period);
    for (const [i, member] of record.members.entries()) {
      const outcome = outcomes[i];
      const row = rows.get(enrolmentName(member));
      if (row !== undefined && outcome?.state === "complete") row[period.k] = outcome.consumption;
    }
  }

  async #leaves(record: EpochRecord, { number }: LedgerEpoch): Promise<{ member: EpochMember; leaf: OwnLeaf }[]> {
    const beginning = record.members.filter(({ begins }) => begins);
    if (beginning.length === 0) return [];
    const tree = await SeedTree.of(record, this.#desk.seeds);
    const leaves: { member: EpochMember; leaf: OwnLeaf }[] = [];
    for (const member of beginning) {
      const { region, first } = record;
      const seeds = await this.#desk.seeds.of(member, first.month);
      leaves.push({ member, leaf: { region, number, first: first.k, seeds, path: await tree.path(member) } });
    }
    return leaves;
  }
}
