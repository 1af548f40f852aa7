import { monthName, VeilgridError } from "@veilgrid/protocol";
import { SeededRandom } from "../random.js";
import { LevelStore, openDatabase } from "../store/level.js";
import type { DataFolder } from "./folder.js";
import { Newcomers } from "./newcomers.js";
import { monthsOf, type RunRecord } from "./plan.js";
import { requireRecord } from "./record.js";
import { homeKeys, keptMaster, newcomer } from "./secrets.js";

/** A customer of a kept run, and what its bills are opened with. */
export interface KeptCustomer {
  readonly meter: string;
  /** As the operator calls it; the first customer at a meter of the input has the meter's name. */
  readonly name: string;
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** The age identity. */
  readonly identity: string;
}

/** What tells a customer from all others of a run: the meter, and the name where it is not the meter's own. */
export function labelOf({ meter, name }: Pick<KeptCustomer, "meter" | "name">): string {
  return name === meter ? meter : `${meter} (${name})`;
}

/** A run in its folder, for reading: nothing of it goes on, and no input is needed. */
export class KeptRun {
  readonly folder: DataFolder;
  readonly record: RunRecord;
  readonly #random: SeededRandom;

  private constructor(folder: DataFolder, record: RunRecord, master: Uint8Array) {
    this.folder = folder;
    this.record = record;
    this.#random = new SeededRandom(master);
  }

  /** @throws VeilgridError `no-run`, `damaged-folder`. */
  static async open(folder: DataFolder): Promise<KeptRun> {
    const record = await requireRecord(folder);
    return new KeptRun(folder, record, await keptMaster(folder));
  }

  get meters(): readonly string[] {
    return this.record.input.households;
  }

  /** The billing months of the run: 12*year + (month-1). */
  get months(): readonly number[] {
    return monthsOf(this.record);
  }

  /**
   * Everybody who was ever to be a customer, in the order of the meters: those of the input, each followed by who came
   * after it, and then those of new meters. Only for who has claimed the folder.
   */
  async customers(): Promise<KeptCustomer[]> {
    const came = await this.#newcomers();
    const customers: KeptCustomer[] = [];
    for (const [i, meter] of this.meters.entries()) {
      const { bid, customer } = await homeKeys(this.#random, i);
      customers.push({ meter, name: meter, bid, identity: customer.identity });
      customers.push(...came.filter((one) => one.meter === meter));
    }
    return [...customers, ...came.filter(({ meter }) => !this.meters.includes(meter))];
  }

  async #newcomers(): Promise<KeptCustomer[]> {
    const database = await openDatabase(this.folder.roles);
    try {
      const customers: KeptCustomer[] = [];
      for (const { meter, name } of await new Newcomers(new LevelStore(database, "world")).all()) {
        const { bid, key } = await newcomer(this.#random, meter, name);
        customers.push({ meter, name, bid, identity: key.identity });
      }
      return customers.sort((a, b) => (labelOf(a) < labelOf(b) ? -1 : 1));
    } finally {
      await database.close();
    }
  }

  /** Who is or was a customer at a meter. @throws VeilgridError `unknown-meter`; `unknown-customer` for a name that none has. */
  async customersAt(meter: string, name?: string): Promise<KeptCustomer[]> {
    const there = (await this.customers()).filter((customer) => customer.meter === meter);
    if (there.length === 0) throw this.#unknownMeter(meter);
    const named = there.filter((customer) => name === undefined || customer.name === name);
    if (named.length > 0) return named;
    const names = there.map((customer) => customer.name).join(", ");
    const sentence = `no ${String(name)} is or was a customer at meter ${meter}, but ${names}`;
    throw new VeilgridError("unknown-customer", sentence, { facts: { meter, names }, blame: "caller" });
  }

  #unknownMeter(meter: string): VeilgridError {
    const { length } = this.meters;
    const [first, last] = [this.meters[0], this.meters.at(-1)] as [string, string];
    return new VeilgridError("unknown-meter", `the run has no meter ${meter}; its ${length} are ${first} to ${last}`, {
      facts: { meter, meters: length },
      blame: "caller",
    });
  }

  /**
   * The run's month that is meant: the only one, unless one is named.
   * @throws VeilgridError `bad-month` where none is named of several, or one that the run does not have.
   */
  month(named: number | undefined): number {
    const [only, second] = this.months;
    if (named === undefined && second === undefined) return only as number;
    if (named !== undefined && this.months.includes(named)) return named;
    const names = this.months.map(monthName).join(", ");
    const asked = named === undefined ? "several months" : `no month ${monthName(named)}`;
    const sentence = `the run has ${asked}: say which --month of ${names}`;
    throw new VeilgridError("bad-month", sentence, { facts: { months: names }, blame: "caller" });
  }
}
