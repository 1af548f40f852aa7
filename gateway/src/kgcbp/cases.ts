import { KIND, caseRef, comparePeriods, nextPeriod, verdictCodec, type Header, type Period } from "@veilgrid/protocol";
import { transactionStep } from "../committed/outbox.js";
import { caseKeyName, caseName, decodeCase, encodeCase, verdictOf, type CaseRecord } from "./case-record.js";
import type { Change } from "../ports/store.js";
import { Cursor } from "./cursor.js";
import type { Desk } from "./desk.js";
import type { EpochBook } from "./epoch-book.js";
import { slotName } from "./names.js";
import type { Settlements } from "./settlements.js";

function outboxName(region: number, period: Period): string {
  return `verdict/${slotName(region, period)}`;
}

/**
 * Opens a case for every committed block with `aggFault`, names its meters, and sends its verdict until it is committed
 * (PROTOCOL section 4, Finding faulty meters). A case is on the disk before its verdict is sent, and its id follows from
 * KGCBP's key, so that whatever dies in between sends the same bytes again.
 */
export class Cases {
  readonly #desk: Desk;
  readonly #book: EpochBook;
  readonly #settlements: Settlements;
  readonly #cursor: Cursor;
  /** By region, ascending: periods whose verdict is due and not committed. */
  readonly #waiting = new Map<number, Period[]>();

  constructor(desk: Desk, book: EpochBook, settlements: Settlements) {
    this.#desk = desk;
    this.#book = book;
    this.#settlements = settlements;
    this.#cursor = new Cursor(desk.store, "cases");
  }

  /** Goes through the committed periods from the first one on that was not known to be done. */
  async start(): Promise<void> {
    const { periodSeconds } = await this.#desk.view.currentParams();
    for (const region of await this.#desk.view.regions()) {
      const { firstCovered, lastReadings } = await this.#desk.view.head(region);
      const from = this.#cursor.of(region) ?? firstCovered;
      if (from === undefined || lastReadings === undefined) continue;
      for (let at = this.#desk.kept(from); comparePeriods(at, lastReadings) <= 0; at = nextPeriod(at, periodSeconds)) {
        await this.#take(region, at, periodSeconds);
      }
    }
  }

  /** A readings block was committed, and its period settled. */
  async onReadings({ region, period }: Header): Promise<void> {
    const { periodSeconds } = await this.#desk.view.currentParams();
    await this.#take(region, period, periodSeconds);
  }

  /** Verdicts were committed. */
  async onVerdicts({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    for (const [region, periods] of this.#waiting) {
      const still: Period[] = [];
      for (const period of periods) {
        if ((await this.#desk.view.fault(region, period)) !== undefined) still.push(period);
        else this.#close(region, period);
      }
      this.#waiting.set(region, still);
    }
  }

  #close(region: number, period: Period): void {
    this.#desk.outbox.remove(outboxName(region, period));
    this.#desk.log("info", "case-closed", { region, month: period.month, k: period.k });
  }

  async #take(region: number, period: Period, periodSeconds: number): Promise<void> {
    const { outbox, view } = this.#desk;
    // Already on its way: an event may tell what a start has seen on the ledger.
    if (outbox.has(outboxName(region, period))) return;
    const record = this.find(region, period) ?? (await this.#open(region, period));
    const due = record?.aggFault === true && (await view.fault(region, period)) !== undefined;
    if (due) this.#waiting.set(region, [...(this.#waiting.get(region) ?? []), period]);
    await this.#desk.store.write([
      ...(record === undefined ? [] : this.#keep(record)),
      this.#next(region, nextPeriod(period, periodSeconds)),
    ]);
    if (due) await this.#send(record);
  }

  /** The first period that a restart has to look at again: one that waits, or else `next`. */
  #next(region: number, next: Period): Change {
    return this.#cursor.at(region, this.#waiting.get(region)?.[0] ?? next);
  }

  /** The case's record, and the month's case key where it is the first one: a later signing key changes neither. */
  #keep(record: CaseRecord): Change[] {
    const { region, period } = record;
    const key = { key: caseKeyName(period.month), value: this.caseKey(period.month) };
    return [{ key: caseName(region, period), value: encodeCase(record) }, key];
  }

  /** What is wrong with a period: undefined where every meter was complete, or no epoch covers it. */
  async #open(region: number, period: Period): Promise<CaseRecord | undefined> {
    const { view } = this.#desk;
    const readings = await view.readings(region, period);
    if (readings === undefined) return undefined;
    const { aggFault } = readings;
    const outcomes = await this.#settlements.of(region, period);
    const { members } = await this.#book.committed(region, period.month, await this.#settlements.entry(region, period));
    const meters = members.flatMap(({ bid, from }, i) => {
      const { state = "complete" } = outcomes[i] ?? {};
      return state === "complete" ? [] : [{ bid, from, fault: state }];
    });
    if (!aggFault && meters.length === 0) return undefined;
    const facts = { region, month: period.month, k: period.k, meters: meters.length };
    this.#desk.log(aggFault ? "warn" : "info", aggFault ? "case-opened" : "meters-implausible", facts);
    return { region, period, aggFault, id: this.#desk.caseId(region, period), meters };
  }

  async #send(record: CaseRecord): Promise<void> {
    const leaf = this.#desk.sign("verdict", verdictCodec.encode(verdictOf(record, this.ref(record))));
    const name = outboxName(record.region, record.period);
    await this.#desk.outbox.add(name, [transactionStep({ kind: KIND.verdicts, leaf })]);
  }

  /** The month's case key, 32 bytes. */
  caseKey(month: number): Uint8Array {
    return this.#desk.store.get(caseKeyName(month)) ?? this.#desk.caseKey(month);
  }

  /** The ref of a case's verdict, 32 bytes. */
  ref({ period, id }: CaseRecord): Uint8Array {
    return caseRef(this.caseKey(period.month), id);
  }

  /** The kept case or finding of a region-period. */
  find(region: number, period: Period): CaseRecord | undefined {
    const bytes = this.#desk.store.get(caseName(region, period));
    return bytes === undefined ? undefined : decodeCase(bytes);
  }

  /** All cases and findings, by region and period. */
  async all(): Promise<readonly CaseRecord[]> {
    return (await this.#desk.store.range("case/")).map(({ value }) => decodeCase(value));
  }
}
