import {
  KIND,
  comparePeriods,
  nextPeriod,
  periodAt,
  periodEnd,
  periodStart,
  type Header,
  type Period,
} from "@veilgrid/protocol";
import { transactionStep } from "../committed/outbox.js";
import type { Timer } from "../ports/clock.js";
import { encodeKeepLists, partLength } from "../transport/envelopes.js";
import { Cursor } from "./cursor.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import type { EpochKeys } from "./epoch-keys.js";
import { tailOf, type EpochRecord } from "./epoch-record.js";
import { slotName } from "./names.js";
import { nextSpan } from "./plan.js";

/** "An epoch is committed before its first window opens (operationally 6 to 12 hours ahead)": the later bound. */
export const LEAD_MS = 12 * 3_600_000;

function outboxName(region: number, first: Period): string {
  return `epoch/${slotName(region, first)}`;
}

/** The PRID lists of an epoch as requests of about 1 MiB each. */
function listRequests(keys: EpochKeys): Uint8Array[] {
  const { region, first, periods } = keys.record;
  const lists = Array.from({ length: periods }, (_, offset) => keys.list(offset));
  const requests: Uint8Array[] = [];
  for (let from = 0; from < periods;) {
    const count = partLength(lists, from);
    const part = { region, first: { month: first.month, k: first.k + from }, lists: lists.slice(from, from + count) };
    requests.push(encodeKeepLists(part));
    from += count;
  }
  return requests;
}

/**
 * Prepares the epochs of all regions, one after the other: composes the next one `leadMs` before it begins, sends it
 * with its PRID lists until it is committed, and what of it is still ahead again if it missed its time.
 */
export class Epochs {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #leadMs: number;
  /** The first period of the epoch that is on its way. */
  readonly #sending: Cursor;
  readonly #timers = new Map<number, Timer>();

  constructor(desk: Desk, book: EpochBook, leadMs = LEAD_MS) {
    this.#desk = desk;
    this.#book = book;
    this.#leadMs = leadMs;
    this.#sending = new Cursor(desk.store, "sending");
  }

  async start(): Promise<void> {
    for (const region of this.#desk.register.regions()) await this.#resume(region);
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** A meter came, changed or went: its region may have had nothing to prepare, or something else. */
  async onChange(region: number): Promise<void> {
    if (this.#sending.of(region) === undefined) await this.#plan(region);
  }

  /**
   * The first period of which no epoch that was sent says anything: the earliest from which a change can hold. "what it
   * says of a period is fixed from its first sending, committed or not"
   */
  async firstUnsent(region: number): Promise<Period> {
    const { clock, view, register } = this.#desk;
    const { periodSeconds } = await view.currentParams();
    const { lastCovered } = await view.head(region);
    const now = periodAt(clock.now(), periodSeconds);
    const free = [now, register.firstSupply(region) ?? now];
    for (const sent of [lastCovered, this.#lastSent(region)]) {
      if (sent !== undefined) free.push(nextPeriod(sent, periodSeconds));
    }
    return free.sort(comparePeriods).at(-1) as Period;
  }

  /** The last period of the epoch that is on its way. */
  #lastSent(region: number): Period | undefined {
    const first = this.#sending.of(region);
    const record = first && this.#book.find(region, first);
    return record && { month: record.first.month, k: record.first.k + record.periods - 1 };
  }

  /** An epoch was committed. */
  async onEpoch({ region, number }: Header): Promise<void> {
    await this.#desk.blocks.block(region, number);
    await this.#resume(region);
  }

  /** Another version of the parameter set is in force: the ledger may no longer take an epoch that names an old one. */
  async onParams(): Promise<void> {
    const { version } = await this.#desk.view.currentParams();
    for (const region of this.#desk.register.regions()) {
      const sending = this.#sending.of(region);
      const record = sending && this.#book.find(region, sending);
      if (record !== undefined && record.params < version - 1) await this.#resume(region);
    }
  }

  /** Goes on from what store and ledger say: the epoch on its way, or else the next one. */
  async #resume(region: number): Promise<void> {
    const sending = this.#sending.of(region);
    const { lastCovered } = await this.#desk.view.head(region);
    const record = sending && this.#book.find(region, sending);
    if (record !== undefined && (lastCovered === undefined || comparePeriods(lastCovered, record.first) < 0)) {
      await this.#send(record);
      return;
    }
    // What was on its way is committed, under this first period or an earlier one.
    if (sending !== undefined) await this.#arrived(region, sending);
    await this.#plan(region);
  }

  async #arrived(region: number, first: Period): Promise<void> {
    this.#recall(region, first);
    await this.#desk.store.write([this.#sending.none(region)]);
  }

  #recall(region: number, first: Period): void {
    this.#desk.outbox.remove(outboxName(region, first));
  }

  #at(region: number, time: number, label: string, action: () => Promise<void>): void {
    this.#timers.get(region)?.cancel();
    this.#timers.set(region, this.#desk.clock.at(time, label, action));
  }

  /** Waits until the next epoch is due. */
  async #plan(region: number): Promise<void> {
    const span = await this.#nextSpan(region);
    if (span === undefined) return;
    const { periodSeconds } = await this.#desk.view.currentParams();
    // Meanwhile one may have been composed, whose timer stays.
    if (this.#sending.of(region) !== undefined) return;
    const time = periodStart(span.first, periodSeconds) - this.#leadMs;
    this.#at(region, time, `epoch of region ${region}`, () => this.#compose(region));
  }

  async #nextSpan(region: number): Promise<ReturnType<typeof nextSpan>> {
    const { view, roster, clock } = this.#desk;
    const { lastCovered } = await view.head(region);
    return nextSpan(roster, region, lastCovered, clock.now(), await view.currentParams());
  }

  /** Fixes what the next epoch is made of: "A meter that is added … changes with the next epoch not yet sent". */
  async #compose(region: number): Promise<void> {
    const record = await this.#desk.register.exclusively(() => this.#next(region));
    if (record !== undefined) await this.#send(record);
  }

  async #next(region: number): Promise<EpochRecord | undefined> {
    // Planned twice, by a change of its meters and by what was there before: it is fixed by the first.
    if (this.#sending.of(region) !== undefined) return undefined;
    const span = await this.#nextSpan(region);
    if (span === undefined) return undefined;
    const { version } = await this.#desk.view.currentParams();
    const record = await this.#book.compose(region, span.first, span.periods, version);
    await this.#fix(record);
    return record;
  }

  /** "what it says of a period is fixed from its first sending, committed or not": on the disk before it. */
  async #fix(record: EpochRecord): Promise<void> {
    const { region, first } = record;
    await this.#desk.store.write([this.#book.keep(record), this.#sending.at(region, first)]);
  }

  async #send(record: EpochRecord): Promise<void> {
    const { clock, outbox, view } = this.#desk;
    const { periodSeconds, maxSkewMs } = await view.params(record.params);
    const end = (period: Period): number => periodEnd(period, periodSeconds) + maxSkewMs;
    if (end(record.first) <= clock.now()) {
      await this.#sendTail(record, periodSeconds);
      return;
    }
    const { region, first } = record;
    const { version } = await view.currentParams();
    // "the ledger accepts the current one and the one before": two changes later the same entries go under the current one.
    if (record.params < version - 1) return this.#fix({ ...record, params: version });
    const keys = await this.#book.keys(record);
    const leaf = this.#desk.sign("epoch", await this.#book.body(record));
    // The lists after the epoch: before it is there, they prove nothing.
    const lists = listRequests(keys).map((request) => ({ method: "lists", request, untilAccepted: true }) as const);
    await outbox.add(outboxName(region, first), [transactionStep({ kind: KIND.epoch, leaf }), ...lists]);
    const { periods, members } = record;
    this.#desk.log("info", "epoch-sent", { region, month: first.month, k: first.k, periods, meters: members.length });
    // A leader's clock may be behind: within maxSkew the epoch can still be committed.
    this.#at(region, end(first), `epoch of region ${region} missed its time`, () => this.#resume(region));
  }

  /** "one that missed its time is sent again with the identical entries of the periods still ahead" */
  async #sendTail(record: EpochRecord, periodSeconds: number): Promise<void> {
    const { region, first, periods } = record;
    this.#recall(region, first);
    this.#book.close(record);
    const now = this.#desk.clock.now();
    let skip = 1;
    while (skip < periods && periodEnd({ ...first, k: first.k + skip }, periodSeconds) <= now) skip += 1;
    this.#desk.log("warn", "epoch-missed", { region, month: first.month, k: first.k, periods: skip });
    if (skip < periods) {
      const tail = tailOf(record, skip);
      await this.#fix(tail);
      await this.#send(tail);
      return;
    }
    await this.#desk.store.write([this.#sending.none(region)]);
    await this.#plan(region);
  }
}
