import type { Writer } from "@veilgrid/protocol";
import { compareBytes, utf8 } from "@veilgrid/protocol";
import type { Write } from "../ports/ledger.js";

/** Which transaction wrote a key's value: number of the block, position in it. */
export interface Version {
  readonly block: bigint;
  readonly transaction: number;
}

/** A key that a simulation looked at, and the version it found; none where the key did not exist. */
export interface KeyRead {
  readonly key: string;
  readonly version: Version | undefined;
}

/** A range that a simulation went through: what it found in it, in order. */
export interface RangeRead {
  readonly start: string;
  /** First key after the range ("" for none), or the last key read where the simulation stopped earlier. */
  readonly end: string;
  /** Whether it came to the range's end; if not, `end` belongs to it. */
  readonly exhausted: boolean;
  readonly reads: readonly KeyRead[];
}

/** What a simulation read and wrote: each list in ascending order of the keys' UTF-8 bytes, ranges as they were asked. */
export interface ReadWriteSet {
  readonly reads: readonly KeyRead[];
  readonly ranges: readonly RangeRead[];
  readonly writes: readonly Write[];
}

/** Upper bounds of the encodings below: whatever a 32-bit length can say. */
export const MAX_VECTOR = 0xffff_ffff;

export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  return a?.block === b?.block && a?.transaction === b?.transaction;
}

/** Order of two keys as the state database has it. */
export function compareKeys(a: string, b: string): number {
  return compareBytes(utf8(a), utf8(b));
}

/** Whether `key` lies in the range, as the state database orders keys. */
export function inRange(key: string, range: RangeRead): boolean {
  if (compareKeys(key, range.start) < 0) return false;
  if (range.exhausted) return range.end === "" || compareKeys(key, range.end) < 0;
  return compareKeys(key, range.end) <= 0;
}

function writeKey(out: Writer, key: string): void {
  out.opaque(utf8(key), 0, MAX_VECTOR);
}

function writeReads(out: Writer, reads: readonly KeyRead[]): void {
  out.u32(reads.length);
  for (const { key, version } of reads) {
    writeKey(out, key);
    out.u8(version === undefined ? 0 : 1);
    if (version !== undefined) out.u64(version.block).u32(version.transaction);
  }
}

/** Writes as blocks and comparisons encode them: count, then key, whether there is a value, and the value. */
export function writeWrites(out: Writer, writes: readonly Write[]): void {
  out.u32(writes.length);
  for (const { key, value } of writes) {
    writeKey(out, key);
    out.u8(value === undefined ? 0 : 1);
    if (value !== undefined) out.opaque(value, 0, MAX_VECTOR);
  }
}

/** The one encoding of a read-write set, by which endorsers' results are compared. */
export function writeReadWriteSet(out: Writer, set: ReadWriteSet): void {
  writeReads(out, set.reads);
  out.u32(set.ranges.length);
  for (const range of set.ranges) {
    writeKey(out, range.start);
    writeKey(out, range.end);
    out.u8(range.exhausted ? 1 : 0);
    writeReads(out, range.reads);
  }
  writeWrites(out, set.writes);
}
