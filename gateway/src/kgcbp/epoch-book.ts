import {
  VeilgridError,
  comparePeriods,
  epochCodec,
  equalBytes,
  type EpochRecord as LedgerEpoch,
  type Period,
} from "@veilgrid/protocol";
import type { SentEpoch } from "./change-request.js";
import type { Desk } from "./desk.js";
import { EpochKeys } from "./epoch-keys.js";
import { decodeRecord, encodeRecord, memberOf, type EpochRecord } from "./epoch-record.js";
import { composeEpoch } from "./epoch.js";
import { enrolmentName, slotName } from "./names.js";
import { SeedTree } from "./seed-tree.js";

/** The last part of a slot's name is k. */
const K_DIGITS = 4;

/** An epoch never crosses a month's end. */
function isOpen(first: Period, periods: number, at: Period): boolean {
  return comparePeriods(at, { month: first.month, k: first.k + periods - 1 }) <= 0;
}

/** KGCBP's epochs: what each is made of, on the disk, and the keys of those that are open, in memory. */
export class EpochBook {
  readonly #desk: Desk;
  readonly #open = new Map<string, EpochKeys>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** The record of an epoch that was composed here, committed or not. */
  find(region: number, first: Period): EpochRecord | undefined {
    const bytes = this.#desk.store.get(`epoch/${slotName(region, first)}`);
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  /** The epochs of all regions that were sent and are not over at a period, by region and time. */
  async sent(at: Period): Promise<SentEpoch[]> {
    const found: SentEpoch[] = [];
    for (const region of this.#desk.register.regions()) {
      for (const month of [at.month, at.month + 1]) {
        found.push(...(await this.#sentIn(region, month)).filter(({ first, periods }) => isOpen(first, periods, at)));
      }
    }
    return found;
  }

  /** What the store has composed, and what is on the ledger, should a backup have lost it. */
  async #sentIn(region: number, month: number): Promise<SentEpoch[]> {
    const prefix = `epoch/${slotName(region, { month, k: 0 }).slice(0, -K_DIGITS)}`;
    const kept = (await this.#desk.store.range(prefix)).map(({ value }) => decodeRecord(value));
    const onLedger = (await this.#desk.view.epochs(region, month)).map(({ k, periods }) => ({
      first: { month, k },
      periods,
    }));
    const lost = onLedger.filter(({ first }) => kept.every((record) => record.first.k !== first.k));
    const all = [...kept, ...lost].map(({ first, periods }) => ({ region, first, periods }));
    return all.sort((a, b) => comparePeriods(a.first, b.first));
  }

  /** The change of the store that keeps a record. */
  keep(record: EpochRecord): { key: string; value: Uint8Array } {
    return { key: `epoch/${slotName(record.region, record.first)}`, value: encodeRecord(record) };
  }

  /** The record of an epoch of so many periods that begins now with the region's meters. */
  async compose(region: number, first: Period, periods: number, params: number): Promise<EpochRecord> {
    const counted = await this.#counted(region, first);
    const enrolments = this.#desk.roster.membersAt(region, first);
    const members = enrolments.map((enrolment) => memberOf(enrolment, !counted.has(enrolmentName(enrolment))));
    return { region, first, periods, params, members };
  }

  /** The enrolments that an earlier committed epoch of the month counts: their seeds are under a committed root. */
  async #counted(region: number, { month, k }: Period): Promise<Set<string>> {
    const counted = new Set<string>();
    for (const entry of await this.#desk.view.epochs(region, month)) {
      if (entry.k >= k) break;
      for (const member of (await this.committed(region, month, entry)).members) counted.add(enrolmentName(member));
    }
    return counted;
  }

  /**
   * The record of a committed epoch. One that the store has lost (a restored backup) is composed again from the register
   * and compared with the ledger to the byte.
   * @throws VeilgridError `epoch-unknown` where register or keys are not those that it was made from.
   */
  async committed(region: number, month: number, entry: LedgerEpoch): Promise<EpochRecord> {
    const first = { month, k: entry.k };
    const known = this.find(region, first);
    if (known !== undefined) return known;
    const onLedger = await this.#desk.view.epoch(region, entry.number);
    const record = await this.compose(region, first, entry.periods, onLedger?.params ?? 0);
    if (onLedger !== undefined && equalBytes(await this.body(record), await this.#encode(onLedger))) {
      await this.#desk.store.write([this.keep(record)]);
      return record;
    }
    throw new VeilgridError("epoch-unknown", "the register does not give an epoch that is on the ledger", {
      facts: { region, month, k: entry.k },
      blame: "operator",
    });
  }

  async #encode(epoch: Parameters<ReturnType<typeof epochCodec>["encode"]>[0]): Promise<Uint8Array> {
    return epochCodec(await this.#desk.view.params(epoch.params)).encode(epoch);
  }

  /** The epoch's bytes, which its record and the month keys determine. */
  async body(record: EpochRecord): Promise<Uint8Array> {
    const tree = await SeedTree.of(record, this.#desk.seeds);
    const params = await this.#desk.view.params(record.params);
    return epochCodec(params).encode(composeEpoch(await this.keys(record), tree, params));
  }

  /** The keys of an epoch, derived at the first call and kept until `close`. */
  async keys(record: EpochRecord): Promise<EpochKeys> {
    const slot = slotName(record.region, record.first);
    const known = this.#open.get(slot);
    if (known?.record.periods === record.periods) return known;
    const keys = await EpochKeys.derive(record, this.#desk.seeds);
    this.#open.set(slot, keys);
    return keys;
  }

  /** Forgets the keys of a month, and of all before it. */
  forget(month: number): void {
    for (const [slot, { record }] of [...this.#open]) if (record.first.month <= month) this.#open.delete(slot);
  }

  /** Forgets an epoch's keys; they are derived again if they are asked for. */
  close({ region, first }: Pick<EpochRecord, "region" | "first">): void {
    this.#open.delete(slotName(region, first));
  }
}
