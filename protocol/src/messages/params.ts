import { toHex, utf8, type Reader, type Writer } from "../bytes.js";
import { VERSION, readChoice, readVersion, rule, structCodec, type StructCodec } from "./struct.js";

/** One party of the consortium: its Fabric MSP id and its x-only BIP-340 key (32 bytes). */
export interface Member {
  readonly msp: string;
  readonly key: Uint8Array;
}

/**
 * Where a data aggregator is asked: "da/" and its MSP id. Its index is another one in another version, and its key may
 * change; the organisation stays.
 */
export function daAddress({ msp }: Pick<Member, "msp">): string {
  return `da/${msp}`;
}

export type ReleaseMode = "after-commit" | "upfront";
export type CompletenessMode = "set" | "sum";

/** The parameter set (PROTOCOL sections 4 and 7). Times are in the unit that their name or the protocol says. */
export interface Params {
  readonly version: number;
  /** Name of the Fabric channel. */
  readonly channel: string;
  /** The data aggregators in agreed order: a DA's index is its position here. */
  readonly da: readonly Member[];
  readonly cc: Member;
  readonly kgcbp: Member;
  /** 900 or 1800. */
  readonly periodSeconds: number;
  /** Seconds. */
  readonly submissionWindow: number;
  readonly forwardSeconds: number;
  readonly roundSeconds: number;
  readonly releaseSeconds: number;
  readonly maxSkewMs: number;
  readonly minReleaseMeters: number;
  readonly maxRegionMeters: number;
  readonly maxWhPerPeriod: number;
  /** Bytes of every bill's ciphertext. */
  readonly billBytes: number;
  readonly release: ReleaseMode;
  readonly completeness: CompletenessMode;
  readonly bitsPerElement: number;
  readonly indices: number;
  readonly closeMonths: number;
  readonly retentionMonths: number;
  readonly verdictDays: number;
}

/** The fields of a parameter set that have a default. */
export type ParamsDefaults = Omit<Params, "version" | "channel" | "da" | "cc" | "kgcbp">;

/** "defaults: 1800, 600, 30, 10, 3600; 30 000 ms; 10, 1 000; 200 000 Wh, 131 072; 0, 0, 29, 20, 2, 24, 7" */
export const paramsDefaults: ParamsDefaults = Object.freeze({
  periodSeconds: 1800,
  submissionWindow: 600,
  forwardSeconds: 30,
  roundSeconds: 10,
  releaseSeconds: 3600,
  maxSkewMs: 30_000,
  minReleaseMeters: 10,
  maxRegionMeters: 1000,
  maxWhPerPeriod: 200_000,
  billBytes: 131_072,
  release: "after-commit",
  completeness: "set",
  bitsPerElement: 29,
  indices: 20,
  closeMonths: 2,
  retentionMonths: 24,
  verdictDays: 7,
});

const RELEASE: readonly ReleaseMode[] = ["after-commit", "upfront"];
const COMPLETENESS: readonly CompletenessMode[] = ["set", "sum"];
const MAX_DA_BYTES = 2 ** 12 - 1;
const MAX_CHANNEL_BYTES = 249;
const MAX_MSP_BYTES = 64;
const MAX_REGION_METERS = 5000;

/** "names are printable ASCII without space" */
function isName(name: string, longest: number): boolean {
  return name.length <= longest && /^[\x21-\x7e]+$/.test(name);
}

function memberBytes(members: readonly Member[]): number {
  return members.reduce((sum, { msp }) => sum + 1 + msp.length + 32, 0);
}

function distinct(list: readonly string[]): boolean {
  return new Set(list).size === list.length;
}

/** The keys of a parameter set in the order da, cc, kgcbp. */
function keysOf(params: Params): Uint8Array[] {
  return [...params.da, params.cc, params.kgcbp].map(({ key }) => key);
}

function writeMember(to: Writer, { msp, key }: Member): void {
  to.opaque(utf8(msp), 1, MAX_MSP_BYTES).fixed(key, 32);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function readMember(from: Reader): Member {
  return { msp: text(from.opaque(1, MAX_MSP_BYTES)), key: from.fixed(32) };
}

function writeMembers(to: Writer, members: readonly Member[]): void {
  to.u16(memberBytes(members));
  for (const member of members) writeMember(to, member);
}

function readMembers(from: Reader): Member[] {
  const size = from.u16();
  if (size < 1 || size > MAX_DA_BYTES) throw from.refuse(`${size} bytes of members`);
  const end = from.left - size;
  const members: Member[] = [];
  while (from.left > end) members.push(readMember(from));
  if (from.left !== end) throw from.refuse("a member across the end of its vector");
  return members;
}

function write(to: Writer, v: Params): void {
  to.u8(VERSION).u16(v.version).opaque(utf8(v.channel), 1, MAX_CHANNEL_BYTES);
  writeMembers(to, v.da);
  writeMember(to, v.cc);
  writeMember(to, v.kgcbp);
  to.u16(v.periodSeconds).u16(v.submissionWindow).u16(v.forwardSeconds).u16(v.roundSeconds).u16(v.releaseSeconds);
  to.u32(v.maxSkewMs).u16(v.minReleaseMeters).u16(v.maxRegionMeters).u32(v.maxWhPerPeriod).u32(v.billBytes);
  to.u8(RELEASE.indexOf(v.release)).u8(COMPLETENESS.indexOf(v.completeness)).u8(v.bitsPerElement).u8(v.indices);
  to.u8(v.closeMonths).u8(v.retentionMonths).u8(v.verdictDays);
}

/** Reads a parameter set off the front of longer bytes; its values are not yet held to the rules. */
export function readParams(from: Reader): Params {
  readVersion(from);
  return {
    version: from.u16(),
    channel: text(from.opaque(1, MAX_CHANNEL_BYTES)),
    da: readMembers(from),
    cc: readMember(from),
    kgcbp: readMember(from),
    periodSeconds: from.u16(),
    submissionWindow: from.u16(),
    forwardSeconds: from.u16(),
    roundSeconds: from.u16(),
    releaseSeconds: from.u16(),
    maxSkewMs: from.u32(),
    minReleaseMeters: from.u16(),
    maxRegionMeters: from.u16(),
    maxWhPerPeriod: from.u32(),
    billBytes: from.u32(),
    release: readChoice(from, "release", RELEASE),
    completeness: readChoice(from, "completeness", COMPLETENESS),
    bitsPerElement: from.u8(),
    indices: from.u8(),
    closeMonths: from.u8(),
    retentionMonths: from.u8(),
    verdictDays: from.u8(),
  };
}

/** The codec of Params. */
export const paramsCodec: StructCodec<Params> = structCodec<Params>({
  what: "params",
  write,
  read: readParams,
  rules: [
    rule("version 0", (v) => v.version >= 1),
    rule("channel name", (v) => isName(v.channel, MAX_CHANNEL_BYTES)),
    rule("MSP name", (v) => [...v.da, v.cc, v.kgcbp].every(({ msp }) => isName(msp, MAX_MSP_BYTES))),
    rule("number of members", (v) => v.da.length >= 1 && memberBytes(v.da) <= MAX_DA_BYTES),
    // "no key occurs twice among da, cc, kgcbp, no MSP id twice among da"
    rule("a key twice", (v) => distinct(keysOf(v).map(toHex))),
    rule("an MSP id twice", (v) => distinct(v.da.map(({ msp }) => msp))),
    rule("periodSeconds", (v) => v.periodSeconds === 900 || v.periodSeconds === 1800),
    // "minReleaseMeters (>= 5), maxRegionMeters (minReleaseMeters to 5 000)"
    rule("minReleaseMeters", (v) => v.minReleaseMeters >= 5),
    rule("maxRegionMeters", (v) => v.maxRegionMeters >= v.minReleaseMeters && v.maxRegionMeters <= MAX_REGION_METERS),
    rule("bitsPerElement or indices 0", (v) => v.bitsPerElement >= 1 && v.indices >= 1),
  ],
});
