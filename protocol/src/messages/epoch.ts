import { Reader, equalBytes, type Writer } from "../bytes.js";
import { bloomBytes } from "../bloom.js";
import { merkleRoot } from "../merkle.js";
import { isPeriod, readPeriod, writePeriod, type Period } from "./period.js";
import type { Params } from "./params.js";
import { VERSION, paramsRule, readVersion, regionRule, rule, structCodec, type StructCodec } from "./struct.js";

const DAY_SECONDS = 86_400;
const EMPTY_ROOT = merkleRoot([]);

/** The fixed fields at an epoch's front. */
export interface EpochHead {
  readonly region: number;
  readonly first: Period;
  /** How many consecutive periods of one UTC day it covers. */
  readonly periods: number;
  /** The params version that it names, whose shape and modes its bytes follow. */
  readonly params: number;
  readonly meters: number;
  /** How many meters' keys begin to count with this epoch. */
  readonly leaves: number;
  /** RFC 6962 root over the ascending seed leaves, 32 bytes. */
  readonly seedRoot: Uint8Array;
}

/** What an epoch says of one period. */
export interface EpochEntry {
  /** Bloom filter of the period's 2 x meters PRIDs. */
  readonly bf1: Uint8Array;
  /** Set commitment S, 32 bytes. */
  readonly set: Uint8Array;
  /** Release mode upfront: the sum of the period's masks in Z_2^64. */
  readonly z?: bigint;
}

/** An epoch block's body (PROTOCOL sections 4 and 7). */
export interface Epoch extends EpochHead {
  readonly entries: readonly EpochEntry[];
  /** Completeness mode sum: Bloom filter of the periods' T. */
  readonly bf2?: Uint8Array;
}

/** "the consecutive periods of one UTC day, or fewer" */
function inOneDay({ first, periods }: EpochHead, periodSeconds: number): boolean {
  const day = DAY_SECONDS / periodSeconds;
  return periods >= 1 && (first.k % day) + periods <= day;
}

function writeHead(to: Writer, v: EpochHead): void {
  writePeriod(to.u8(VERSION).u16(v.region), v.first).u16(v.periods).u16(v.params);
  to.u32(v.meters).u32(v.leaves).fixed(v.seedRoot, 32);
}

function readHead(from: Reader): EpochHead {
  readVersion(from);
  return {
    region: from.u16(),
    first: readPeriod(from),
    periods: from.u16(),
    params: from.u16(),
    meters: from.u32(),
    leaves: from.u32(),
    seedRoot: from.fixed(32),
  };
}

/**
 * The fixed fields of an encoded epoch, to find the parameter set that the rest is read by; nothing else is checked.
 * @throws VeilgridError `malformed` where the bytes are too short or of an unknown version.
 */
export function epochHead(bytes: Uint8Array): EpochHead {
  return readHead(new Reader(bytes, "epoch"));
}

/** The codec of epochs under the parameter set that they name: `params.version` must be theirs. */
export function epochCodec(params: Params): StructCodec<Epoch> {
  const upfront = params.release === "upfront";
  const sum = params.completeness === "sum";
  const bf1Bytes = (meters: number): number => bloomBytes(2 * meters, params.bitsPerElement);

  function readEntry(from: Reader, meters: number): EpochEntry {
    const entry = { bf1: from.fixed(bf1Bytes(meters)), set: from.fixed(32) };
    return upfront ? { ...entry, z: from.u64() } : entry;
  }

  return structCodec<Epoch>({
    what: "epoch",
    write(to, v) {
      writeHead(to, v);
      for (const { bf1, set, z } of v.entries) {
        to.fixed(bf1, bf1Bytes(v.meters)).fixed(set, 32);
        if (z !== undefined) to.u64(z);
      }
      if (v.bf2 !== undefined) to.fixed(v.bf2, bloomBytes(v.periods, params.bitsPerElement));
    },
    read(from) {
      const head = readHead(from);
      const entries = Array.from({ length: head.periods }, () => readEntry(from, head.meters));
      const epoch = { ...head, entries };
      return sum ? { ...epoch, bf2: from.fixed(bloomBytes(head.periods, params.bitsPerElement)) } : epoch;
    },
    rules: [
      regionRule,
      paramsRule,
      rule("read under another params version", (v) => v.params === params.version),
      rule("no such period", (v) => isPeriod(v.first, params.periodSeconds)),
      rule("not the periods of one UTC day", (v) => inOneDay(v, params.periodSeconds)),
      // "N = 2 x meters in each period, 1 <= meters <= maxRegionMeters"
      rule("number of meters", (v) => v.meters >= 1 && v.meters <= params.maxRegionMeters),
      // "`leaves` <= `meters`" and "`leaves` = 0 has the empty root"
      rule("more leaves than meters", (v) => v.leaves <= v.meters),
      rule("a root without leaves", (v) => v.leaves > 0 || equalBytes(v.seedRoot, EMPTY_ROOT)),
      rule("number of entries", (v) => v.entries.length === v.periods),
      rule("Z does not fit the release mode", (v) => v.entries.every(({ z }) => (z !== undefined) === upfront)),
      rule("bf2 does not fit the completeness mode", (v) => (v.bf2 !== undefined) === sum),
    ],
  });
}
