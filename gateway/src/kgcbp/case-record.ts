import { Reader, Writer, type Period, type ReadingState, type Verdict } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";
import { slotName } from "./names.js";

/** What can be wrong with a meter in a period. */
export type Fault = Exclude<ReadingState, "complete">;

const FAULTS: readonly Fault[] = ["silent", "half", "repeated", "implausible"];

/** A meter that was not complete, by its enrolment. */
export interface FaultyMeter extends Pick<Enrolment, "bid" | "from"> {
  readonly fault: Fault;
}

/**
 * A region-period with meters that were not complete, named. It is a *case*, which has a verdict on the ledger, where the
 * block reports a fault; otherwise it is a *finding*, of which the ledger knows nothing.
 */
export interface CaseRecord {
  readonly region: number;
  readonly period: Period;
  readonly aggFault: boolean;
  /** 16 bytes: with the month's case key it gives the verdict's ref. */
  readonly id: Uint8Array;
  /** Ascending by BID. */
  readonly meters: readonly FaultyMeter[];
}

/** Where a case is kept in KGCBP's store. */
export function caseName(region: number, period: Period): string {
  return `case/${slotName(region, period)}`;
}

/** Where a month's case key is kept. */
export function caseKeyName(month: number): string {
  return `case-key/${String(month).padStart(6, "0")}`;
}

export function encodeCase({ region, period, aggFault, id, meters }: CaseRecord): Uint8Array {
  const writer = new Writer().u16(region).u32(period.month).u16(period.k).u8(Number(aggFault)).fixed(id, 16);
  for (const { bid, from, fault } of meters) {
    writer.fixed(bid, 16).u32(from.month).u16(from.k).u8(FAULTS.indexOf(fault));
  }
  return writer.bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeCase(bytes: Uint8Array): CaseRecord {
  const reader = new Reader(bytes, "case");
  const period = (): Period => ({ month: reader.u32(), k: reader.u16() });
  const head = { region: reader.u16(), period: period(), aggFault: reader.u8() === 1, id: reader.fixed(16) };
  const meters: FaultyMeter[] = [];
  while (reader.left > 0) {
    const id = { bid: reader.fixed(16), from: period() };
    const fault = FAULTS[reader.u8()];
    if (fault === undefined) throw reader.refuse("an unknown fault");
    meters.push({ ...id, fault });
  }
  return { ...head, meters };
}

/** "{region, period, counts of silent, orphan, implausible, conflict; ref}" (PROTOCOL section 4, Finding faulty meters). */
export function verdictOf({ region, period, meters }: CaseRecord, ref: Uint8Array): Verdict {
  const count = (of: Fault): number => meters.filter(({ fault }) => fault === of).length;
  return {
    region,
    period,
    silent: count("silent"),
    orphan: count("half"),
    implausible: count("implausible"),
    conflict: count("repeated"),
    ref,
  };
}
