import type { Reader, Writer } from "../bytes.js";
import { isGenesis } from "./genesis-header.js";
import { KIND, isRegionKind } from "./kind.js";
import { NO_PERIOD, isPeriod, readPeriod, samePeriod, writePeriod, type Period } from "./period.js";
import { VERSION, readChoice, readVersion, rule, structCodec, type Rule, type StructCodec } from "./struct.js";

/** Encoded length of a Header. */
export const HEADER_BYTES = 173;

/** A block's header (PROTOCOL section 7). */
export interface Header {
  /** 32 bytes. */
  readonly consortium: Uint8Array;
  /** The chain: a region, or 0 for the consortium's. */
  readonly region: number;
  readonly kind: number;
  readonly number: bigint;
  /** CBH of the block before, 32 bytes. */
  readonly prev: Uint8Array;
  /** RFC 6962 root of the leaves, 32 bytes. */
  readonly root: Uint8Array;
  /** How many leaves. */
  readonly count: number;
  readonly params: number;
  readonly term: bigint;
  readonly round: number;
  /** A readings block's period, an epoch's first; otherwise NO_PERIOD. */
  readonly period: Period;
  readonly aggFault: boolean;
  /** x-only key of the leader, 32 bytes. */
  readonly leader: Uint8Array;
  /** Unix milliseconds. */
  readonly ts: bigint;
}

function write(to: Writer, v: Header): void {
  to.u8(VERSION).fixed(v.consortium, 32).u16(v.region).u8(v.kind).u64(v.number).fixed(v.prev, 32).fixed(v.root, 32);
  to.u32(v.count).u16(v.params).u64(v.term).u32(v.round);
  writePeriod(to, v.period).u8(Number(v.aggFault)).fixed(v.leader, 32).u64(v.ts);
}

function read(from: Reader): Header {
  readVersion(from);
  return {
    consortium: from.fixed(32),
    region: from.u16(),
    kind: from.u8(),
    number: from.u64(),
    prev: from.fixed(32),
    root: from.fixed(32),
    count: from.u32(),
    params: from.u16(),
    term: from.u64(),
    round: from.u32(),
    period: readPeriod(from),
    aggFault: readChoice(from, "aggFault", [false, true]),
    leader: from.fixed(32),
    ts: from.u64(),
  };
}

/** "Kinds 1 and 2 have exactly one leaf; only readings blocks may be empty" */
function countFits({ kind, count }: Header): boolean {
  if (kind === KIND.params || kind === KIND.epoch) return count === 1;
  return kind === KIND.readings || count >= 1;
}

/** "Off readings blocks Period is six zero bytes (an epoch's: its first)" */
function periodFits({ kind, period }: Header, periodSeconds: number): boolean {
  return isRegionKind(kind) ? isPeriod(period, periodSeconds) : samePeriod(period, NO_PERIOD);
}

/** A rule of every block; genesis has its own. */
function blockRule(why: string, holds: (header: Header, periodSeconds: number) => boolean): Rule<Header> {
  return rule(why, (v, periodSeconds) => v.kind === 0 || holds(v, periodSeconds));
}

/** The codec of Header: 173 bytes. Kind 0 is accepted for the genesis of a chain only. */
export const headerCodec: StructCodec<Header> = structCodec<Header>({
  what: "header",
  write,
  read,
  rules: [
    rule("kind", (v) => v.kind <= KIND.close),
    rule("not a genesis", (v) => v.kind !== 0 || isGenesis(v)),
    blockRule("kind on a wrong chain", (v) => isRegionKind(v.kind) === v.region >= 1),
    // "`params` and `number` are >= 1 except in genesis"; "Terms start at 1"
    blockRule("number, params or term 0", (v) => v.number >= 1n && v.params >= 1 && v.term >= 1n),
    blockRule("number of leaves", countFits),
    blockRule("period", periodFits),
    // "and aggFault = 0"
    blockRule("aggFault off readings", (v) => !v.aggFault || v.kind === KIND.readings),
  ],
});
