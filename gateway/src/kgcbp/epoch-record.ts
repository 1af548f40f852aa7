import { Reader, Writer, type Period } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";

/** One meter of an epoch. */
export interface EpochMember {
  readonly bid: Uint8Array;
  /** With the BID it names the enrolment. */
  readonly from: Period;
  /** Whether its keys begin to count with this epoch, so that its seeds are among the leaves. */
  readonly begins: boolean;
}

/**
 * What an epoch is made of. With the month keys it gives every byte of the epoch, so what an epoch says of a period is
 * fixed once this is on the disk, and that is before the first sending.
 */
export interface EpochRecord {
  readonly region: number;
  readonly first: Period;
  readonly periods: number;
  /** The params version current at the first sending. */
  readonly params: number;
  /** Ascending by BID. */
  readonly members: readonly EpochMember[];
}

export function encodeRecord({ region, first, periods, params, members }: EpochRecord): Uint8Array {
  const writer = new Writer().u16(region).u32(first.month).u16(first.k).u16(periods).u16(params);
  for (const { bid, from, begins } of members) {
    writer.fixed(bid, 16).u32(from.month).u16(from.k).u8(Number(begins));
  }
  return writer.bytes();
}

export function decodeRecord(bytes: Uint8Array): EpochRecord {
  const reader = new Reader(bytes, "epoch record");
  const period = (): Period => ({ month: reader.u32(), k: reader.u16() });
  const head = { region: reader.u16(), first: period(), periods: reader.u16(), params: reader.u16() };
  const members: EpochMember[] = [];
  while (reader.left > 0) members.push({ bid: reader.fixed(16), from: period(), begins: reader.u8() === 1 });
  reader.end();
  return { ...head, members };
}

/** An enrolment as an epoch's member. */
export function memberOf({ bid, from }: Enrolment, begins: boolean): EpochMember {
  return { bid, from, begins };
}

/** The same epoch without its first `skip` periods: "sent again with the identical entries of the periods still ahead". */
export function tailOf(record: EpochRecord, skip: number): EpochRecord {
  const first = { month: record.first.month, k: record.first.k + skip };
  return { ...record, first, periods: record.periods - skip };
}
