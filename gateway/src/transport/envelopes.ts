import { MAX_INPUT_BYTES, Reader, Writer, compareBytes, concat, type Period } from "@veilgrid/protocol";

/*
 * What travels between the parties around the protocol's own messages (PROTOCOL section 7 leaves it open: "transport
 * envelopes ... follow the same style"). Every decoder refuses trailing bytes and whatever its encoder would not write.
 *
 * | method | request | answer ("accepted" is tag 1) |
 * | --- | --- | --- |
 * | reading | Reading ‖ sig | accepted: the receipt; or an Answer |
 * | time | nothing | uint64 Unix milliseconds, untagged |
 * | forward | 1 to 256 x (Reading ‖ sig) of one region-period, ascending by readingHash | accepted: Ack ‖ sig ‖ accepted bits; or an Answer |
 * | propose | Proposal ‖ sig | accepted: Vote ‖ sig; incomplete: Incomplete ‖ sig; or an Answer |
 * | bodies | Region, Period, readingHash[32] each | accepted: Reading ‖ sig of each that is there |
 * | timeout | Timeout ‖ sig | accepted: nothing; or an Answer (stale-term: ask "timeouts") |
 * | timeouts | nothing | accepted: the certificate of the asked DA's term; or an Answer in term 0 |
 * | elect | Election ‖ sig of the candidate for itself | accepted: Election ‖ sig of the voter; or an Answer |
 * | transaction | kind, leaf | accepted: nothing; or an Answer |
 * | params | uint16 version | accepted: the params blocks after it, each with its certificate, not all of many |
 * | lists | lists to keep, or a wish for lists | accepted: nothing, or the lists wished for; or an Answer |
 */

const SIG_BYTES = 64;
/** Reading ‖ sig. */
export const SIGNED_READING_BYTES = 113;
/** The most readings in one bundle. */
export const MAX_BUNDLE = 256;
/** Lists are sent in parts of about this size; a part has one period's list at least. */
const LISTS_PART_BYTES = 1_048_576;

/** What any party answers, but to "time". */
export type Response =
  | { readonly tag: "accepted"; readonly body: Uint8Array }
  /** `answer` is the bytes of an Answer; signed where the protocol says so. */
  | { readonly tag: "answer"; readonly answer: Uint8Array; readonly sig?: Uint8Array }
  /** `body` is Incomplete ‖ sig. */
  | { readonly tag: "incomplete"; readonly body: Uint8Array };

const TAG = { accepted: 1, signedAnswer: 2, answer: 3, incomplete: 4 } as const;

function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(Uint8Array.of(tag), ...parts);
}

export function encodeAccepted(...parts: readonly Uint8Array[]): Uint8Array {
  return tagged(TAG.accepted, ...parts);
}

/** @param answer the bytes of an Answer; @param sig its signature, if it is signed. */
export function encodeAnswer(answer: Uint8Array, sig?: Uint8Array): Uint8Array {
  return sig === undefined ? tagged(TAG.answer, answer) : tagged(TAG.signedAnswer, answer, sig);
}

/** @param body Incomplete ‖ sig. */
export function encodeIncomplete(body: Uint8Array): Uint8Array {
  return tagged(TAG.incomplete, body);
}

/** @throws VeilgridError `malformed` for an unknown tag, no bytes, or an answer too short for its signature. */
export function decodeResponse(bytes: Uint8Array): Response {
  const reader = new Reader(bytes, "response", 2 * MAX_INPUT_BYTES);
  switch (reader.u8()) {
    case TAG.accepted:
      return { tag: "accepted", body: reader.rest() };
    case TAG.signedAnswer: {
      if (reader.left <= SIG_BYTES) throw reader.refuse("no room for an answer and its signature");
      return { tag: "answer", answer: reader.fixed(reader.left - SIG_BYTES), sig: reader.rest() };
    }
    case TAG.answer:
      return { tag: "answer", answer: reader.rest() };
    case TAG.incomplete:
      return { tag: "incomplete", body: reader.rest() };
    default:
      throw reader.refuse("an unknown tag");
  }
}

/** The answer to "time". @param now Unix milliseconds. */
export function encodeTime(now: number): Uint8Array {
  return new Writer().u64(BigInt(now)).bytes();
}

/** Unix milliseconds. @throws VeilgridError `malformed`. */
export function decodeTime(bytes: Uint8Array): number {
  const reader = new Reader(bytes, "time");
  const now = reader.u64();
  reader.end();
  if (now > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.refuse("later than any clock");
  return Number(now);
}

/** A bundle: signed readings (113 bytes each) of one region-period, ascending by readingHash. */
export function encodeBundle(readings: readonly Uint8Array[]): Uint8Array {
  return concat(...readings);
}

function slices(reader: Reader, size: number): Uint8Array[] {
  if (reader.left % size !== 0) throw reader.refuse(`not a multiple of ${size} bytes`);
  return Array.from({ length: reader.left / size }, () => reader.fixed(size));
}

/** The signed readings one by one, none of them decoded yet. @throws VeilgridError `malformed`. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes, "bundle");
  const readings = slices(reader, SIGNED_READING_BYTES);
  if (readings.length < 1 || readings.length > MAX_BUNDLE) throw reader.refuse(`not 1 to ${MAX_BUNDLE} readings`);
  return readings;
}

/** A DA's answer to a bundle: its Ack with signature, and which of the bundle's readings the Ack is over. */
export interface BundleAck {
  /** Ack ‖ sig. */
  readonly ack: Uint8Array;
  /** One flag for each reading of the bundle, in its order. */
  readonly accepted: readonly boolean[];
}

/** The body of an accepted "forward": opaque ack<65..255> ‖ one bit a reading, first reading in mask 0x80. */
export function encodeBundleAck({ ack, accepted }: BundleAck): Uint8Array {
  const bits = new Uint8Array(Math.ceil(accepted.length / 8));
  accepted.forEach((flag, i) => {
    if (flag) bits[i >>> 3] = (bits[i >>> 3] as number) | (0x80 >>> (i & 7));
  });
  return new Writer()
    .opaque(ack, SIG_BYTES + 1, 255)
    .raw(bits)
    .bytes();
}

/** @param count how many readings the bundle had. @throws VeilgridError `malformed`. */
export function decodeBundleAck(bytes: Uint8Array, count: number): BundleAck {
  const reader = new Reader(bytes, "bundle ack");
  const ack = reader.opaque(SIG_BYTES + 1, 255);
  const bits = reader.fixed(Math.ceil(count / 8));
  reader.end();
  const flag = (i: number): boolean => ((bits[i >>> 3] as number) & (0x80 >>> (i & 7))) !== 0;
  for (let i = count; i < 8 * bits.length; i += 1) if (flag(i)) throw reader.refuse("a bit beyond the bundle");
  return { ack, accepted: Array.from({ length: count }, (_, i) => flag(i)) };
}

/** A wish for the bodies of readings that a proposal names. */
export interface BodiesWish {
  readonly region: number;
  readonly period: Period;
  /** readingHashes, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
}

export function encodeBodiesWish({ region, period, hashes }: BodiesWish): Uint8Array {
  const writer = new Writer().u16(region).u32(period.month).u16(period.k);
  for (const hash of hashes) writer.fixed(hash, 32);
  return writer.bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeBodiesWish(bytes: Uint8Array): BodiesWish {
  const reader = new Reader(bytes, "wish for bodies");
  return { region: reader.u16(), period: readPeriod(reader), hashes: slices(reader, 32) };
}

/** The bodies that are there, as signed readings. */
export function decodeBodies(bytes: Uint8Array): Uint8Array[] {
  return slices(new Reader(bytes, "bodies"), SIGNED_READING_BYTES);
}

/** Something that KGCBP or CC wants on the ledger: the block kind it belongs in, and its leaf (body ‖ issuer's sig). */
export interface PendingTransaction {
  readonly kind: number;
  readonly leaf: Uint8Array;
}

export function encodeTransaction({ kind, leaf }: PendingTransaction): Uint8Array {
  return new Writer().u8(kind).raw(leaf).bytes();
}

/** @throws VeilgridError `malformed` for anything without a kind and a leaf. */
export function decodeTransaction(bytes: Uint8Array): PendingTransaction {
  const reader = new Reader(bytes, "transaction");
  const kind = reader.u8();
  if (reader.left === 0) throw reader.refuse("no leaf");
  return { kind, leaf: reader.rest() };
}

/** The PRID lists of consecutive periods of a region; each ascending. */
export interface PridLists {
  readonly region: number;
  readonly first: Period;
  /** For each period from `first` on, its PRIDs (32 bytes each). */
  readonly lists: readonly (readonly Uint8Array[])[];
}

/** A wish for the lists of `periods` periods from `first` on. */
export interface ListsWish {
  readonly region: number;
  readonly first: Period;
  readonly periods: number;
}

export type ListsRequest =
  { readonly what: "keep"; readonly lists: PridLists } | { readonly what: "wish"; readonly wish: ListsWish };

function readPeriod(reader: Reader): Period {
  return { month: reader.u32(), k: reader.u16() };
}

/** PRID lists as bytes: Region, Period first, uint16 periods, periods x { uint32 count; prid[32][count] }. */
export function encodeLists({ region, first, lists }: PridLists): Uint8Array {
  const writer = new Writer().u16(region).u32(first.month).u16(first.k).u16(lists.length);
  for (const prids of lists) {
    writer.u32(prids.length);
    for (const prid of prids) writer.fixed(prid, 32);
  }
  return writer.bytes();
}

function readList(reader: Reader): Uint8Array[] {
  const count = reader.u32();
  if (32 * count > reader.left) throw reader.refuse("too short");
  const prids = Array.from({ length: count }, () => reader.fixed(32));
  for (let i = 1; i < count; i += 1) {
    const ascending = compareBytes(prids[i - 1] as Uint8Array, prids[i] as Uint8Array) < 0;
    if (!ascending) throw reader.refuse("a list that is not ascending");
  }
  return prids;
}

function readLists(reader: Reader): PridLists {
  const region = reader.u16();
  const first = readPeriod(reader);
  const lists = Array.from({ length: reader.u16() }, () => readList(reader));
  reader.end();
  return { region, first, lists };
}

/** @throws VeilgridError `malformed`. */
export function decodeLists(bytes: Uint8Array): PridLists {
  return readLists(new Reader(bytes, "PRID lists"));
}

/**
 * How many of the lists from index `from` on go into one part: at least one, and else about 1 MiB, so that a part
 * stays below the size that any decoder reads.
 */
export function partLength(lists: readonly (readonly Uint8Array[])[], from: number): number {
  let bytes = 0;
  let to = from;
  do {
    bytes += 4 + 32 * (lists[to]?.length ?? 0);
    to += 1;
  } while (to < lists.length && bytes + 32 * (lists[to]?.length ?? 0) <= LISTS_PART_BYTES);
  return to - from;
}

const KEEP = 1;
const WISH = 2;

/** The request of who has lists to hand out (KGCBP). */
export function encodeKeepLists(lists: PridLists): Uint8Array {
  return tagged(KEEP, encodeLists(lists));
}

/** The request of a DA that misses lists. */
export function encodeListsWish({ region, first, periods }: ListsWish): Uint8Array {
  return new Writer().u8(WISH).u16(region).u32(first.month).u16(first.k).u16(periods).bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeListsRequest(bytes: Uint8Array): ListsRequest {
  const reader = new Reader(bytes, "request about lists");
  switch (reader.u8()) {
    case KEEP:
      return { what: "keep", lists: readLists(reader) };
    case WISH: {
      const wish = { region: reader.u16(), first: readPeriod(reader), periods: reader.u16() };
      reader.end();
      return { what: "wish", wish };
    }
    default:
      throw reader.refuse("neither lists nor a wish for them");
  }
}
