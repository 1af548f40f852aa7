import { NO_PERIOD, compareBytes, comparePeriods, toHex, type Period } from "@veilgrid/protocol";
import type { Enrolment, EnrolmentId, KeyStore, MeterChange, RegisterChange } from "../ports/keystore.js";
import { Exclusive } from "../exclusive.js";
import { notEnrolled } from "./keys.js";
import { enrolmentName } from "./names.js";

/** Whether the enrolment's supply has begun and has not ended at a period. */
function covers({ from, to }: Enrolment, at: Period): boolean {
  return comparePeriods(from, at) <= 0 && (to === undefined || comparePeriods(at, to) < 0);
}

/** KGCBP's meters and customers: who counts where and when. */
export class Register {
  readonly #keys: KeyStore;
  readonly #byName = new Map<string, Enrolment>();
  /** By BID in hex, ascending by `from`. */
  readonly #byBid = new Map<string, Enrolment[]>();
  /** By meter, ascending by serial number. */
  readonly #changes = new Map<string, MeterChange[]>();
  readonly #turn = new Exclusive();

  private constructor(keys: KeyStore) {
    this.#keys = keys;
  }

  static async open(keys: KeyStore): Promise<Register> {
    const register = new Register(keys);
    for (const enrolment of await keys.enrolments()) register.#add(enrolment);
    for (const change of await keys.changes()) register.#remember(change);
    return register;
  }

  /**
   * Enrols a meter's supply, with the key K of the month of `from` (32 bytes). It counts from the first epoch on that
   * begins at or after `from` and is not yet sent; until then it counts as missing.
   * @throws VeilgridError `already-enrolled`.
   */
  async enrol(enrolment: Enrolment, monthKey: Uint8Array): Promise<void> {
    await this.#keys.enrol(enrolment, monthKey);
    if (!this.#byName.has(enrolmentName(enrolment))) this.#add(enrolment);
  }

  /** One at a time: who composes an epoch from the register, and who changes it. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return this.#turn.run(task);
  }

  /** Takes a change in, durably; see KeyStore. @throws VeilgridError `already-changed`, `already-enrolled`. */
  async change(change: RegisterChange): Promise<void> {
    await this.#keys.change(change);
    const { begins, ends } = change;
    if (ends !== undefined) this.#add({ ...this.get(ends.enrolment), to: ends.to });
    if (begins !== undefined) this.#add(begins.enrolment);
    this.#remember(change.change);
  }

  #remember(change: MeterChange): void {
    const known = this.#changes.get(change.meter) ?? [];
    this.#changes.set(change.meter, [...known.filter(({ serial }) => serial !== change.serial), change]);
  }

  /** The changes of a meter, ascending by serial number. */
  changesOf(meter: string): readonly MeterChange[] {
    return this.#changes.get(meter) ?? [];
  }

  /** The supplies at a meter, ascending by `from`. */
  suppliesAt(meter: string): Enrolment[] {
    const supplies = [...this.#byName.values()].filter((enrolment) => enrolment.meter === meter);
    return supplies.sort((a, b) => comparePeriods(a.from, b.from));
  }

  /** The names of all meters that ever were enrolled, in the order of their first supply. */
  meters(): string[] {
    const all = [...this.#byName.values()].sort((a, b) => comparePeriods(a.from, b.from));
    return [...new Set(all.map(({ meter }) => meter))];
  }

  /** Whether the BID was ever enrolled: it "names one customer at one meter". */
  knows(bid: Uint8Array): boolean {
    return this.#byBid.has(toHex(bid));
  }

  #add(enrolment: Enrolment): void {
    const bid = toHex(enrolment.bid);
    const known = (this.#byBid.get(bid) ?? []).filter(({ from }) => comparePeriods(from, enrolment.from) !== 0);
    known.push(enrolment);
    known.sort((a, b) => comparePeriods(a.from, b.from));
    this.#byBid.set(bid, known);
    this.#byName.set(enrolmentName(enrolment), enrolment);
  }

  /** @throws VeilgridError `not-enrolled`. */
  get(id: EnrolmentId): Enrolment {
    const enrolment = this.#byName.get(enrolmentName(id));
    if (enrolment === undefined) throw notEnrolled(id);
    return enrolment;
  }

  /** The newest enrolment of a BID: it says when the supply ends. @throws VeilgridError `not-enrolled`. */
  newest(bid: Uint8Array): Enrolment {
    const newest = this.#byBid.get(toHex(bid))?.at(-1);
    if (newest === undefined) throw notEnrolled({ bid, from: NO_PERIOD });
    return newest;
  }

  /** All enrolments there ever were. */
  enrolments(): Enrolment[] {
    return [...this.#byName.values()];
  }

  /** The regions that have, had or will have a meter, ascending. */
  regions(): number[] {
    return [...new Set([...this.#byName.values()].map(({ region }) => region))].sort((a, b) => a - b);
  }

  /** Who counts in a region at a period, ascending by BID: of each BID its newest enrolment alone. */
  membersAt(region: number, at: Period): Enrolment[] {
    const members: Enrolment[] = [];
    for (const enrolments of this.#byBid.values()) {
      const newest = enrolments.findLast(({ from }) => comparePeriods(from, at) <= 0);
      if (newest?.region === region && covers(newest, at)) members.push(newest);
    }
    return members.sort((a, b) => compareBytes(a.bid, b.bid));
  }

  /** The first period after `at` from which a region may have other members. */
  nextChange(region: number, at: Period): Period | undefined {
    let next: Period | undefined;
    for (const enrolments of this.#byBid.values()) {
      if (!enrolments.some((enrolment) => enrolment.region === region)) continue;
      for (const change of enrolments.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]))) {
        if (comparePeriods(change, at) <= 0) continue;
        if (next === undefined || comparePeriods(change, next) < 0) next = change;
      }
    }
    return next;
  }

  /** The period of the region's first supply. */
  firstSupply(region: number): Period | undefined {
    const all = [...this.#byName.values()].filter((enrolment) => enrolment.region === region);
    return all.map(({ from }) => from).sort(comparePeriods)[0];
  }
}
