import { Reader, Writer, concat, equalBytes, sha256, utf8 } from "@veilgrid/protocol";
import type { Change } from "../ports/store.js";

/** One write of a store, as the backup has it: all of it or nothing. */
export interface JournalRecord {
  /** Counts the writes of all stores from 1. */
  readonly number: bigint;
  /** The store's name in the backup. */
  readonly store: string;
  readonly changes: readonly Change[];
}

// Record { uint32 length of body; digest[8], the first bytes of SHA-256 of body; body }
// body   { uint64 number; opaque store<1..255>; { opaque key<1..65535>; uint8 kept; (kept = 1) opaque value<0..2^32-1> } ... }

const HEAD_BYTES = 12;
const DIGEST_BYTES = 8;
const MAX_KEY = 65_535;
const MAX_VALUE = 2 ** 32 - 1;
/** A body's limit: no write of KGCBP's is near it. */
const MAX_BODY = 2 ** 28;

const text = new TextDecoder("utf-8", { fatal: true });

/** A change as it stands in records and base copies. */
export function writeChange(writer: Writer, { key, value }: Change): Writer {
  writer.opaque(utf8(key), 1, MAX_KEY).u8(Number(value !== undefined));
  return value === undefined ? writer : writer.opaque(value, 0, MAX_VALUE);
}

/** @throws VeilgridError `malformed`. */
export function readChange(reader: Reader): Change {
  const key = text.decode(reader.opaque(1, MAX_KEY));
  return { key, value: reader.u8() === 1 ? reader.opaque(0, MAX_VALUE).slice() : undefined };
}

export function encodeRecord({ number, store, changes }: JournalRecord): Uint8Array {
  const body = new Writer().u64(number).opaque(utf8(store), 1, 255);
  for (const change of changes) writeChange(body, change);
  const bytes = body.bytes();
  return concat(new Writer().u32(bytes.length).fixed(digest(bytes), DIGEST_BYTES).bytes(), bytes);
}

function digest(body: Uint8Array): Uint8Array {
  return sha256(body).subarray(0, DIGEST_BYTES);
}

function decodeBody(bytes: Uint8Array): JournalRecord {
  const reader = new Reader(bytes, "journal record", MAX_BODY);
  const head = { number: reader.u64(), store: text.decode(reader.opaque(1, 255)) };
  const changes: Change[] = [];
  while (reader.left > 0) changes.push(readChange(reader));
  return { ...head, changes };
}

/** What a piece of a journal holds. */
export interface Scanned {
  readonly records: readonly JournalRecord[];
  /** How many bytes the whole records take. */
  readonly whole: number;
  /** Whether what follows them can be the last write before a crash, cut off: nothing whole comes after it. */
  readonly torn: boolean;
}

/** Reads the records of a journal's bytes up to the first that is not whole. */
export function scanRecords(bytes: Uint8Array): Scanned {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    const body = bodyAt(bytes, at);
    if (body === undefined) return { records, whole: at, torn: isTorn(bytes.subarray(at)) };
    records.push(decodeBody(body));
    at += HEAD_BYTES + body.length;
  }
  return { records, whole: at, torn: false };
}

function bodyAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (bytes.length - at < HEAD_BYTES) return undefined;
  const head = new Reader(bytes.subarray(at, at + HEAD_BYTES), "journal record");
  const [length, expected] = [head.u32(), head.fixed(DIGEST_BYTES)];
  const body = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  return length > 0 && body.length === length && equalBytes(digest(body), expected) ? body : undefined;
}

/** A cut-off record reaches to the file's end or beyond it, or the disk has zeros where its bytes should be. */
function isTorn(rest: Uint8Array): boolean {
  if (rest.length < HEAD_BYTES) return true;
  const length = new Reader(rest.subarray(0, 4), "journal record").u32();
  const isLast = HEAD_BYTES + length >= rest.length && length <= MAX_BODY;
  return isLast || rest.subarray(4).every((byte) => byte === 0);
}
