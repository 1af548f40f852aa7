import { Writer, concat, fromHex } from "../src/index.js";

/*
 * The structs of PROTOCOL section 7 written field by field as the page lists them, with nothing checked: what the
 * codecs are held to, and what malformed messages are made with. Each function takes the fields that differ from one
 * valid example.
 */

/** March 2026. */
export const MONTH = 12 * 2026 + 2;

/** `size` bytes of one value. */
export function fill(size: number, value: number): Uint8Array {
  return new Uint8Array(size).fill(value);
}

/** A body with a signature that nobody made: decoders do not verify. */
export function signed(body: Uint8Array): Uint8Array {
  return concat(body, fill(64, 0x55));
}

const PERIOD = { month: MONTH, k: 5 };
/** SHA-256 of nothing. */
export const EMPTY_ROOT = fromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

function period(to: Writer, { month, k }: typeof PERIOD): Writer {
  return to.u32(month).u16(k);
}

/** The bytes of an ASCII text. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A member as it stands in Params. */
export function member(msp: string, key: number): Uint8Array {
  return new Writer().opaque(ascii(msp), 0, 255).raw(fill(32, key)).bytes();
}

const PARAMS = {
  v: 1,
  version: 1,
  channel: "veilgrid",
  da: [member("OrgDA0MSP", 0xa0), member("OrgDA1MSP", 0xa1), member("OrgDA2MSP", 0xa2), member("OrgDA3MSP", 0xa3)],
  cc: member("OrgCCMSP", 0xcc),
  kgcbp: member("OrgKGCBPMSP", 0xbb),
  periodSeconds: 1800,
  times: [600, 30, 10, 3600],
  maxSkewMs: 30_000,
  minReleaseMeters: 10,
  maxRegionMeters: 1000,
  maxWhPerPeriod: 200_000,
  billBytes: 131_072,
  release: 0,
  completeness: 0,
  bitsPerElement: 29,
  indices: 20,
  months: [2, 24, 7],
};

export function params(change: Partial<typeof PARAMS> = {}): Uint8Array {
  const v = { ...PARAMS, ...change };
  const to = new Writer()
    .u8(v.v)
    .u16(v.version)
    .opaque(ascii(v.channel), 0, 255)
    .opaque(concat(...v.da), 0, 65_535);
  to.raw(v.cc).raw(v.kgcbp).u16(v.periodSeconds);
  for (const time of v.times) to.u16(time);
  to.u32(v.maxSkewMs).u16(v.minReleaseMeters).u16(v.maxRegionMeters).u32(v.maxWhPerPeriod).u32(v.billBytes);
  to.u8(v.release).u8(v.completeness).u8(v.bitsPerElement).u8(v.indices);
  for (const count of v.months) to.u8(count);
  return to.bytes();
}

/** 12 meters and 29 bits: ceil(29 x 24 / 8) bytes of BF1; 2 periods: ceil(58 / 8) bytes of BF2. */
const EPOCH = {
  v: 1,
  region: 1,
  first: { month: MONTH, k: 46 },
  periods: 2,
  params: 1,
  meters: 12,
  leaves: 1,
  seedRoot: fill(32, 0x0e),
  tail: [fill(87, 1), fill(32, 2), fill(87, 3), fill(32, 4)],
};

export function epoch(change: Partial<typeof EPOCH> = {}): Uint8Array {
  const v = { ...EPOCH, ...change };
  const to = period(new Writer().u8(v.v).u16(v.region), v.first).u16(v.periods).u16(v.params).u32(v.meters);
  return to
    .u32(v.leaves)
    .raw(v.seedRoot)
    .raw(concat(...v.tail))
    .bytes();
}

/** What an epoch has after its fixed fields in release mode upfront and completeness mode sum. */
export const UPFRONT_SUM_TAIL = [...EPOCH.tail.slice(0, 2), fill(8, 9), ...EPOCH.tail.slice(2), fill(8, 8), fill(8, 7)];

const READING = { v: 1, region: 1, period: PERIOD, prid: fill(32, 0x11), rc: 7n };

export function reading(change: Partial<typeof READING> = {}): Uint8Array {
  const v = { ...READING, ...change };
  return period(new Writer().u8(v.v).u16(v.region), v.period).raw(v.prid).u64(v.rc).bytes();
}

const ACK = { params: 1, da: 2, region: 1, period: PERIOD, count: 3, root: fill(32, 0xac) };

export function ack(change: Partial<typeof ACK> = {}): Uint8Array {
  const v = { ...ACK, ...change };
  return period(new Writer().u16(v.params).u8(v.da).u16(v.region), v.period).u16(v.count).raw(v.root).bytes();
}

const RECEIPT_ENTRY = { ack: ack(), index: 1, path: [fill(32, 1), fill(32, 2)] };

export function receiptEntry(change: Partial<typeof RECEIPT_ENTRY> = {}): Uint8Array {
  const v = { ...RECEIPT_ENTRY, ...change };
  return new Writer()
    .raw(signed(v.ack))
    .u16(v.index)
    .opaque(concat(...v.path), 0, 65_535)
    .bytes();
}

const ANSWER = {
  params: 1,
  da: 2,
  class: 3,
  code: 4,
  readingHash: fill(32, 0x0d),
  now: 1_774_744_800_000n,
  retry: 500,
};

export function answer(change: Partial<typeof ANSWER> = {}): Uint8Array {
  const v = { ...ANSWER, ...change };
  const to = new Writer().u16(v.params).u8(v.da).u8(v.class).u16(v.code).raw(v.readingHash);
  return to.u64(v.now).u32(v.retry).bytes();
}

const HEADER = {
  v: 1,
  consortium: fill(32, 0xc0),
  region: 1,
  kind: 3,
  number: 2n,
  prev: fill(32, 0x99),
  root: fill(32, 0x77),
  count: 2,
  params: 1,
  term: 1n,
  round: 0,
  period: PERIOD,
  aggFault: 0,
  leader: fill(32, 0xa0),
  ts: 1_774_744_800_000n,
};

export type RawHeader = typeof HEADER;

export function header(change: Partial<RawHeader> = {}): Uint8Array {
  const v = { ...HEADER, ...change };
  const to = new Writer().u8(v.v).raw(v.consortium).u16(v.region).u8(v.kind).u64(v.number).raw(v.prev).raw(v.root);
  period(to.u32(v.count).u16(v.params).u64(v.term).u32(v.round), v.period);
  return to.u8(v.aggFault).raw(v.leader).u64(v.ts).bytes();
}

/** A readings block's leaf; `sig` is the byte that its signature is filled with. */
export function readingLeaf(prid: number, rc: bigint, sig = 0x55): Uint8Array {
  return new Writer().raw(fill(32, prid)).u64(rc).raw(fill(64, sig)).bytes();
}

/** A leaf as it stands in a block that is not of readings. */
export function prefixed(leaf: Uint8Array): Uint8Array {
  return new Writer().opaque(leaf, 0, 2 ** 24 - 1).bytes();
}

/** A block, or a proposal with hashes or leaves in their place. */
export function block(head: Partial<RawHeader>, ...leaves: readonly Uint8Array[]): Uint8Array {
  return concat(header({ count: leaves.length, ...head }), fill(64, 0x5c), ...leaves);
}

/** The header of a block on the consortium's chain. */
export function onChain0(kind: number): Partial<RawHeader> {
  return { region: 0, kind, period: { month: 0, k: 0 } };
}

const INCOMPLETE = {
  params: 1,
  region: 1,
  number: 2n,
  term: 1n,
  round: 0,
  da: 3,
  missing: [readingLeaf(1, 5n), readingLeaf(2, 6n)],
};

export function incomplete(change: Partial<typeof INCOMPLETE> = {}): Uint8Array {
  const v = { ...INCOMPLETE, ...change };
  const to = new Writer().u16(v.params).u16(v.region).u64(v.number).u64(v.term).u32(v.round).u8(v.da);
  return to.opaque(concat(...v.missing), 0, 2 ** 21 - 1).bytes();
}

const VOTE = { params: 1, region: 1, number: 2n, term: 1n, round: 0, cbh: fill(32, 0xcb), da: 0 };

export function vote(change: Partial<typeof VOTE> = {}): Uint8Array {
  const v = { ...VOTE, ...change };
  const to = new Writer().u16(v.params).u16(v.region).u64(v.number).u64(v.term).u32(v.round).raw(v.cbh);
  return to.u8(v.da).bytes();
}

const TIMEOUT = { params: 1, term: 0n, da: 0 };

export function timeout(change: Partial<typeof TIMEOUT> = {}): Uint8Array {
  const v = { ...TIMEOUT, ...change };
  return new Writer().u16(v.params).u64(v.term).u8(v.da).bytes();
}

const ELECTION = { params: 1, term: 1n, candidate: 2, voter: 0 };

export function election(change: Partial<typeof ELECTION> = {}): Uint8Array {
  const v = { ...ELECTION, ...change };
  return new Writer().u16(v.params).u64(v.term).u8(v.candidate).u8(v.voter).bytes();
}

const MASK = {
  region: 1,
  period: PERIOD,
  cbh: fill(32, 0xcb),
  status: 1,
  z: 99n,
  excluded: [fill(32, 0x11), fill(32, 0x12)],
};

export function mask(change: Partial<typeof MASK> = {}): Uint8Array {
  const v = { ...MASK, ...change };
  const to = period(new Writer().u16(v.region), v.period).raw(v.cbh).u8(v.status).u64(v.z);
  return to.opaque(concat(...v.excluded), 0, 2 ** 21 - 1).bytes();
}

const PRICE = { region: 1, period: PERIOD, price: -40_100n, basis: 1, consumption: -3n, cbh: fill(32, 0xcb) };

export function price(change: Partial<typeof PRICE> = {}): Uint8Array {
  const v = { ...PRICE, ...change };
  const to = period(new Writer().u16(v.region), v.period).i64(v.price).u8(v.basis).i64(v.consumption);
  return to.raw(v.cbh).bytes();
}

/** An entry of Bills; `bid` is the byte that its BID is filled with. */
export function billEntry(bid: number, cid: Uint8Array = fill(36, 0xc1)): Uint8Array {
  return new Writer().raw(fill(16, bid)).u16(0).opaque(cid, 0, 255).raw(fill(32, 0xb1)).bytes();
}

const BILLS = { month: MONTH, entries: [billEntry(1), billEntry(2)] };

export function bills(change: Partial<typeof BILLS> = {}): Uint8Array {
  const v = { ...BILLS, ...change };
  return new Writer()
    .u32(v.month)
    .opaque(concat(...v.entries), 0, 2 ** 21 - 1)
    .bytes();
}

const VERDICT = { region: 1, period: PERIOD, counts: [1, 2, 3, 4], ref: fill(32, 0x4e) };

export function verdict(change: Partial<typeof VERDICT> = {}): Uint8Array {
  const v = { ...VERDICT, ...change };
  const to = period(new Writer().u16(v.region), v.period);
  for (const count of v.counts) to.u16(count);
  return to.raw(v.ref).bytes();
}

const CLOSE = { region: 1, month: MONTH };

export function close(change: Partial<typeof CLOSE> = {}): Uint8Array {
  const v = { ...CLOSE, ...change };
  return new Writer().u16(v.region).u32(v.month).bytes();
}

const GENESIS: RawHeader = {
  ...HEADER,
  region: 0,
  kind: 0,
  number: 0n,
  prev: fromHex("3483b36823aad1e36b3af8c6fe83aff4dbd7d0c8ad3d3f62fea8b12aa1d2d784"),
  root: EMPTY_ROOT,
  count: 0,
  params: 0,
  term: 0n,
  round: 0,
  period: { month: 0, k: 0 },
  leader: fill(32, 0),
  ts: 0n,
};

/** The genesis of the consortium's chain. */
export function genesis(change: Partial<RawHeader> = {}): Uint8Array {
  return header({ ...GENESIS, ...change });
}

const CHAIN = { region: 1, first: PERIOD, key: fill(32, 0x4b) };

/** A chain of month keys as it stands in a Delivery. */
export function chain(change: Partial<typeof CHAIN> = {}): Uint8Array {
  const v = { ...CHAIN, ...change };
  return period(new Writer().u16(v.region), v.first).raw(v.key).bytes();
}

/** So many chains, one a period. */
export function manyChains(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => chain({ first: { month: MONTH, k } }));
}

const DELIVERY = {
  v: 1,
  consortium: fill(32, 0xc0),
  params: 1,
  meter: ascii("meter 7"),
  device: ascii(`age1${"q".repeat(58)}`),
  serial: 2,
  keep: 1,
  chains: [chain(), chain({ region: 2, first: { month: MONTH, k: 6 } })],
};

export function delivery(change: Partial<typeof DELIVERY> = {}): Uint8Array {
  const v = { ...DELIVERY, ...change };
  const to = new Writer().u8(v.v).raw(v.consortium).u16(v.params).opaque(v.meter, 0, 255).opaque(v.device, 0, 255);
  return to
    .u32(v.serial)
    .u8(v.keep)
    .opaque(concat(...v.chains), 0, 65_535)
    .bytes();
}
