import { Writer, compareBytes, type Reader } from "../bytes.js";
import { isMonth } from "./period.js";
import { rule, structCodec, type StructCodec } from "./struct.js";

const MAX_ENTRIES_BYTES = 2 ** 21 - 1;
const MAX_CID_BYTES = 64;

/** The most entries of one Bills. */
export const MAX_BILLS = 1000;

/** Where one customer's bill lies. */
export interface BillEntry {
  /** 16 bytes. */
  readonly bid: Uint8Array;
  /** 0 for the first bill of a BID and month. */
  readonly revision: number;
  /** Binary CID, 1 to 64 bytes. */
  readonly cid: Uint8Array;
  /** `billHash` of the ciphertext, 32 bytes. */
  readonly hash: Uint8Array;
}

/** KGCBP's bills of a month, ascending by BID. */
export interface Bills {
  readonly month: number;
  readonly entries: readonly BillEntry[];
}

function writeEntry(to: Writer, v: BillEntry): void {
  to.fixed(v.bid, 16).u16(v.revision).opaque(v.cid, 1, MAX_CID_BYTES).fixed(v.hash, 32);
}

function readEntry(from: Reader): BillEntry {
  return { bid: from.fixed(16), revision: from.u16(), cid: from.opaque(1, MAX_CID_BYTES), hash: from.fixed(32) };
}

function readEntries(from: Reader, size: number): BillEntry[] {
  if (size !== from.left) throw from.refuse("entries of another length than they say");
  const entries: BillEntry[] = [];
  while (from.left > 0) entries.push(readEntry(from));
  return entries;
}

function ascendingByBid(entries: readonly BillEntry[]): boolean {
  return entries.every((entry, i) => i === 0 || compareBytes((entries[i - 1] as BillEntry).bid, entry.bid) < 0);
}

/** The codec of Bills. */
export const billsCodec: StructCodec<Bills> = structCodec<Bills>({
  what: "bills",
  write(to, v) {
    const entries = new Writer();
    for (const entry of v.entries) writeEntry(entries, entry);
    to.u32(v.month).opaque(entries.bytes(), 1, MAX_ENTRIES_BYTES);
  },
  read(from) {
    const month = from.u32();
    // The vector is the last field, so its three-byte prefix must name all that is left.
    const size = from.u8() * 0x1_0000 + from.u16();
    return { month, entries: readEntries(from, size) };
  },
  rules: [
    rule("month", (v) => isMonth(v.month)),
    // "one to 1 000"
    rule("number of entries", (v) => v.entries.length >= 1 && v.entries.length <= MAX_BILLS),
    rule("entries not ascending", (v) => ascendingByBid(v.entries)),
  ],
});
