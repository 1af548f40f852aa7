import { Reader, Writer } from "../bytes.js";
import type { Codec } from "../codec.js";
import type { Period } from "../messages/period.js";

/** Where a block chain stands, and in a region which periods its epochs cover and its readings blocks have reached. */
export interface ChainRecord {
  readonly number: bigint;
  readonly cbh: Uint8Array;
  readonly ts: bigint;
  /** First period that any epoch covers; with `lastCovered` and `lastReadings` absent while there is none. */
  readonly firstCovered: Period | undefined;
  readonly lastCovered: Period | undefined;
  readonly lastReadings: Period | undefined;
}

/** Term and leader as the ledger's certificates name them. */
export interface TermRecord {
  readonly term: bigint;
  /** Keys of the leaders so far, the newest first, as many as any later rule can ask for. */
  readonly leaders: readonly Uint8Array[];
}

/** An epoch of a region-month. */
export interface EpochEntry {
  readonly k: number;
  readonly periods: number;
  readonly number: bigint;
}

/** The readings block of a region-period. */
export interface ReadingsRecord {
  readonly number: bigint;
  readonly cbh: Uint8Array;
  readonly aggFault: boolean;
  readonly count: number;
}

/** The mask release of a region-period: where its leaf stands on chain 0, and the sum over the counted readings. */
export interface MaskRecord {
  readonly number: bigint;
  readonly index: number;
  readonly status: 1 | 2;
  readonly z: bigint;
  /** Sum of rc over the counted readings in Z_2^64; zero unless released. */
  readonly sum: bigint;
}

export interface BillRecord {
  readonly revision: number;
  readonly cid: Uint8Array;
  readonly hash: Uint8Array;
}

/** An open fault: the block that reported it and when. */
export interface FaultRecord {
  readonly number: bigint;
  readonly ts: bigint;
}

// No rule asks for more: a member takes at least 34 of the 4,095 bytes that `da` may have, so that W <= 120 and f <= 39.
const KEPT_LEADERS = 39;

function record<T>(what: string, write: (to: Writer, value: T) => Writer, read: (from: Reader) => T): Codec<T> {
  return {
    encode: (value) => write(new Writer(), value).bytes(),
    decode(bytes) {
      const reader = new Reader(bytes, what);
      const value = read(reader);
      reader.end();
      return value;
    },
  };
}

function writePeriod(to: Writer, period: Period | undefined): Writer {
  return period === undefined ? to.u8(0) : to.u8(1).u32(period.month).u16(period.k);
}

function readPeriod(from: Reader): Period | undefined {
  return from.u8() === 0 ? undefined : { month: from.u32(), k: from.u16() };
}

function readAll<T>(from: Reader, read: () => T): T[] {
  const all: T[] = [];
  while (from.left > 0) all.push(read());
  return all;
}

export const chainRecord = record<ChainRecord>(
  "chain record",
  (to, v) => {
    to.u64(v.number).fixed(v.cbh, 32).u64(v.ts);
    return writePeriod(writePeriod(writePeriod(to, v.firstCovered), v.lastCovered), v.lastReadings);
  },
  (from) => ({
    number: from.u64(),
    cbh: from.fixed(32),
    ts: from.u64(),
    firstCovered: readPeriod(from),
    lastCovered: readPeriod(from),
    lastReadings: readPeriod(from),
  }),
);

export const termRecord = record<TermRecord>(
  "term record",
  (to, v) => v.leaders.slice(0, KEPT_LEADERS).reduce((writer, key) => writer.fixed(key, 32), to.u64(v.term)),
  (from) => ({ term: from.u64(), leaders: readAll(from, () => from.fixed(32)) }),
);

export const epochEntries = record<readonly EpochEntry[]>(
  "epoch entries",
  (to, all) => all.reduce((writer, v) => writer.u16(v.k).u16(v.periods).u64(v.number), to),
  (from) => readAll(from, () => ({ k: from.u16(), periods: from.u16(), number: from.u64() })),
);

export const readingsRecord = record<ReadingsRecord>(
  "readings record",
  (to, v) => to.u64(v.number).fixed(v.cbh, 32).u8(Number(v.aggFault)).u32(v.count),
  (from) => ({ number: from.u64(), cbh: from.fixed(32), aggFault: from.u8() === 1, count: from.u32() }),
);

export const maskRecord = record<MaskRecord>(
  "mask record",
  (to, v) => to.u64(v.number).u32(v.index).u8(v.status).u64(v.z).u64(v.sum),
  (from) => ({
    number: from.u64(),
    index: from.u32(),
    status: from.u8() === 1 ? 1 : 2,
    z: from.u64(),
    sum: from.u64(),
  }),
);

export const billRecord = record<BillRecord>(
  "bill record",
  (to, v) => to.u16(v.revision).opaque(v.cid, 1, 64).fixed(v.hash, 32),
  (from) => ({ revision: from.u16(), cid: from.opaque(1, 64), hash: from.fixed(32) }),
);

export const faultRecord = record<FaultRecord>(
  "fault record",
  (to, v) => to.u64(v.number).u64(v.ts),
  (from) => ({ number: from.u64(), ts: from.u64() }),
);

export const regionList = record<readonly number[]>(
  "region list",
  (to, all) => all.reduce((writer, region) => writer.u16(region), to),
  (from) => readAll(from, () => from.u16()),
);

export const u16Record = record<number>(
  "version",
  (to, v) => to.u16(v),
  (from) => from.u16(),
);

export const u32Record = record<number>(
  "count",
  (to, v) => to.u32(v),
  (from) => from.u32(),
);

export const u64Record = record<bigint>(
  "block number",
  (to, v) => to.u64(v),
  (from) => from.u64(),
);
