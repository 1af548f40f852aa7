import { monthName, VeilgridError } from "@veilgrid/protocol";
import { SeededRandom } from "../random.js";
import type { DataFolder } from "./folder.js";
import { monthsOf, type RunRecord } from "./plan.js";
import { requireRecord } from "./record.js";
import { homeBid, homeKeys, keptMaster, type HomeKeys } from "./secrets.js";

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

  /** Where a meter stands in the order of the input. @throws VeilgridError `unknown-meter`. */
  indexOf(meter: string): number {
    const index = this.meters.indexOf(meter);
    if (index >= 0) return index;
    const { length } = this.meters;
    const [first, last] = [this.meters[0], this.meters.at(-1)] as [string, string];
    throw new VeilgridError("unknown-meter", `the run has no meter ${meter}; its ${length} are ${first} to ${last}`, {
      facts: { meter, meters: length },
      blame: "caller",
    });
  }

  /** The BID of a meter's customer. @throws VeilgridError `unknown-meter`. */
  bid(meter: string): Uint8Array {
    return homeBid(this.#random, this.indexOf(meter));
  }

  /** The household of a meter. @throws VeilgridError `unknown-meter`. */
  async home(meter: string): Promise<HomeKeys> {
    return homeKeys(this.#random, this.indexOf(meter));
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
