import {
  VeilgridError,
  comparePeriods,
  decodeReadingLeaf,
  decodeVotes,
  leaf,
  monthName,
  pridOf,
  quorum,
  toHex,
  type Period,
} from "@veilgrid/protocol";
import { makeReadings } from "@veilgrid/meter-client";
import type { LoggedPeriod } from "../input/meter-log.js";
import { compareLog, type CasePeriod, type Finding } from "./case-evidence.js";
import { Findings } from "./case-findings.js";
import type { CaseRecord, Fault, FaultyMeter } from "./case-record.js";
import type { Cases } from "./cases.js";
import type { Desk } from "./desk.js";
import { enrolmentName } from "./names.js";
import type { Settlements } from "./settlements.js";

/**
 * `open`: the block's fault has no verdict yet; `overdue`: and `verdictDays` have passed; `closed`: the verdict is on the
 * ledger; `finding`: the block reports no fault, so that no verdict is due.
 */
export type CaseStatus = "open" | "overdue" | "closed" | "finding";

/** A meter of a case, by the operator's name. */
export interface CaseMeter {
  readonly meter: string;
  /** 16 bytes. */
  readonly bid: Uint8Array;
  readonly fault: Fault;
  /** Undefined until its log was compared. */
  readonly finding: Finding | undefined;
}

/** A case or finding as KGCBP's operator sees it; for nobody else. */
export interface CaseView {
  readonly region: number;
  readonly period: Period;
  readonly status: CaseStatus;
  /** TS of the readings block, Unix milliseconds. */
  readonly reportedAt: number;
  /** When a case without a verdict is overdue. */
  readonly dueAt: number;
  /** The ref of its verdict, 32 bytes; undefined of a finding. */
  readonly ref: Uint8Array | undefined;
  readonly meters: readonly CaseMeter[];
}

/** A case that a meter is charged for. */
export interface Charge {
  readonly k: number;
  /** 16 bytes. */
  readonly id: Uint8Array;
}

/** What a meter's log has of a period; undefined where there is no log of it. */
export type LogOf = (meter: string, period: Period) => Promise<LoggedPeriod | undefined> | LoggedPeriod | undefined;

const DAY_MS = 86_400_000;

function monthClosed(region: number, { month, k }: Period): VeilgridError {
  const name = monthName(month);
  const sentence = `${name} is closed: its blocks have left the peers' state, and no log is compared with them any more`;
  return new VeilgridError("month-closed", sentence, { facts: { region, month: name, k }, blame: "caller" });
}

/** Shows cases to KGCBP's operator, and compares the meters' own logs with them. */
export class CaseDesk {
  readonly #desk: Desk;
  readonly #cases: Cases;
  readonly #settlements: Settlements;
  readonly #findings: Findings;

  constructor(desk: Desk, cases: Cases, settlements: Settlements) {
    this.#desk = desk;
    this.#cases = cases;
    this.#settlements = settlements;
    this.#findings = new Findings(desk.store);
  }

  /** All cases and findings, by region and period. */
  async list(): Promise<CaseView[]> {
    const views: CaseView[] = [];
    for (const record of await this.#cases.all()) views.push(await this.#view(record));
    return views;
  }

  /** @throws VeilgridError `no-case` where every meter was complete, or the period has no block yet; `month-erased`. */
  async of(region: number, period: Period): Promise<CaseView> {
    return this.#view(this.#record(region, period));
  }

  #record(region: number, period: Period): CaseRecord {
    const record = this.#cases.find(region, period);
    if (record !== undefined) return record;
    const facts = { region, month: monthName(period.month), k: period.k };
    const { erased } = this.#desk.keys;
    if (erased !== undefined && period.month <= erased) {
      const sentence = `${facts.month} is erased: KGCBP knows nothing of its cases any more`;
      throw new VeilgridError("month-erased", sentence, { facts, blame: "caller" });
    }
    throw new VeilgridError("no-case", "the period has no case: every meter was complete, or it has no block yet", {
      facts,
      blame: "caller",
    });
  }

  async #view(record: CaseRecord): Promise<CaseView> {
    const { region, period, aggFault, meters } = record;
    const reportedAt = await this.#reportedAt(region, period);
    const { verdictDays } = (await this.#desk.view.periodParams(region, period)) ?? { verdictDays: 0 };
    const dueAt = reportedAt + verdictDays * DAY_MS;
    return {
      region,
      period,
      status: await this.#status(record, dueAt),
      reportedAt,
      dueAt,
      ref: aggFault ? this.#cases.ref(record) : undefined,
      meters: meters.map((faulty) => this.#meter(region, period, faulty)),
    };
  }

  #meter(region: number, period: Period, faulty: FaultyMeter): CaseMeter {
    const { meter, bid } = this.#desk.register.get(faulty);
    return { meter, bid, fault: faulty.fault, finding: this.#findings.find(region, period, faulty) };
  }

  async #reportedAt(region: number, period: Period): Promise<number> {
    const readings = await this.#desk.view.readings(region, period);
    const found = readings && (await this.#desk.view.header(region, readings.number));
    return Number(found?.header.ts ?? 0n);
  }

  async #status({ region, period, aggFault }: CaseRecord, dueAt: number): Promise<CaseStatus> {
    if (!aggFault) return "finding";
    if ((await this.#desk.view.fault(region, period)) === undefined) return "closed";
    // "A case without a verdict after `verdictDays` (7) is shown as overdue."
    return this.#desk.clock.now() >= dueAt ? "overdue" : "open";
  }

  /**
   * Compares the logs that there are with a case, and keeps what they show.
   * @throws VeilgridError `no-case`, `month-erased`; `month-closed` where the block to compare with has left the state.
   */
  async compare(region: number, period: Period, logOf: LogOf): Promise<CaseView> {
    const record = this.#record(region, period);
    if (await this.#desk.view.monthDeleted(region, period.month)) throw monthClosed(region, period);
    for (const faulty of record.meters) {
      const log = await logOf(this.#desk.register.get(faulty).meter, period);
      if (log === undefined) continue;
      const found = compareLog(faulty.fault, log, await this.#casePeriod(record, faulty));
      await this.#findings.keep(region, period, faulty, found);
      const facts = { region, month: period.month, k: period.k, reason: found.reason, blame: found.blame };
      this.#desk.log("info", "log-compared", facts);
    }
    return this.#view(record);
  }

  async #casePeriod({ region, period }: CaseRecord, faulty: FaultyMeter): Promise<CasePeriod> {
    const { consortium, blocks, view } = this.#desk;
    const { number: epoch } = await this.#settlements.entry(region, period);
    const params = await blocks.params((await view.epoch(region, epoch))?.params ?? 0);
    const number = (await view.readings(region, period))?.number ?? 0n;
    const prids = new Set(
      (await blocks.block(region, number))?.leaves.map((one) => toHex(decodeReadingLeaf(one).prid)),
    );
    const cert = (await view.header(region, number))?.cert;
    const voters = cert === undefined ? [] : decodeVotes(cert, quorum(params.da.length)).map(({ body }) => body.da);
    const { s0, s1, r0, r1 } = await this.#desk.seeds.of(faulty, period.month);
    const [t, t2, z, z2] = [leaf(s0, period.k), leaf(s1, period.k), leaf(r0, period.k), leaf(r1, period.k)];
    return {
      consortium,
      period,
      params,
      voters,
      isKeyless: this.#isKeyless(faulty, period),
      has: (half) => prids.has(toHex(pridOf(half === 0 ? t : t2))),
      readings: (consumption) => makeReadings({ t, t2, z, z2 }, { consortium, region }, period, consumption),
    };
  }

  /** Whether KGCBP had told the meter to delete the keys of a period, and those that it has now did not hold in it yet. */
  #isKeyless(faulty: FaultyMeter, period: Period): boolean {
    const { register } = this.#desk;
    return register.changesOf(register.get(faulty).meter).some(({ delivery }) => {
      const [first] = delivery?.chains ?? [];
      if (delivery?.silentFrom === undefined || first === undefined) return false;
      return comparePeriods(delivery.silentFrom, period) <= 0 && comparePeriods(period, first.first) < 0;
    });
  }

  /** What meters are charged for in a region's month, by enrolment: the verdict is out, and the log shows no other's fault. */
  async charges(region: number, month: number): Promise<ReadonlyMap<string, readonly Charge[]>> {
    const charges = new Map<string, Charge[]>();
    for (const record of await this.#cases.all()) {
      const { period, id, aggFault, meters } = record;
      if (record.region !== region || period.month !== month || !aggFault) continue;
      if (!(await this.#desk.view.hasVerdict(region, period, this.#cases.ref(record)))) continue;
      for (const faulty of meters) {
        if (this.#findings.find(region, period, faulty)?.blame !== "meter") continue;
        const name = enrolmentName(faulty);
        charges.set(name, [...(charges.get(name) ?? []), { k: period.k, id }]);
      }
    }
    return charges;
  }

  /** The month's case key, 32 bytes: it goes with the charges' ids. */
  caseKey(month: number): Uint8Array {
    return this.#cases.caseKey(month);
  }
}
