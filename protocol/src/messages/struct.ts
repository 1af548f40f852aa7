import { MAX_INPUT_BYTES, Reader, Writer } from "../bytes.js";
import type { Codec } from "../codec.js";
import { VeilgridError } from "../errors.js";
import { isPeriod, type Period } from "./period.js";

/** "k < periods of the month (a decoder without Params takes 900 s)" */
const FINEST_PERIOD_SECONDS = 900;

/** The version byte `v` of every versioned struct. */
export const VERSION = 1;

/** A codec that can hold periods to the real `periodSeconds` (900 or 1800) where the parameter set is known. */
export interface StructCodec<T> extends Codec<T> {
  /** @throws VeilgridError `malformed` for anything but the one canonical encoding. */
  decode(bytes: Uint8Array, periodSeconds?: number): T;
}

/** Why a value breaks a rule of its struct, or nothing. */
export type Rule<T> = (value: T, periodSeconds: number) => string | undefined;

/** A struct of PROTOCOL section 7: its fields in the order of the wire, and the rules that bind their values. */
export interface Struct<T> {
  readonly what: string;
  readonly write: (to: Writer, value: T) => void;
  readonly read: (from: Reader) => T;
  readonly rules: readonly Rule<T>[];
}

/** A rule that says `why` it is broken where `holds` is false. */
export function rule<T>(why: string, holds: (value: T, periodSeconds: number) => boolean): Rule<T> {
  return (value, periodSeconds) => (holds(value, periodSeconds) ? undefined : why);
}

/** "Region uint16, >= 1; 0 (the consortium) only in Header, Vote and genesis" */
export const regionRule = rule<{ readonly region: number }>("region 0", (v) => v.region >= 1);

/** "k < periods of the month", and a month of the years 1970 to 9999 */
export const periodRule = rule<{ readonly period: Period }>("no such period", (v, ps) => isPeriod(v.period, ps));

/** "`params` and `number` are >= 1 except in genesis" */
export const paramsRule = rule<{ readonly params: number }>("params 0", (v) => v.params >= 1);

function firstBroken<T>(rules: readonly Rule<T>[], value: T, periodSeconds: number): string | undefined {
  for (const check of rules) {
    const why = check(value, periodSeconds);
    if (why !== undefined) return why;
  }
  return undefined;
}

/** An encoder's refusal: the value is none that the struct can hold. */
export function unfit(what: string, why: string): VeilgridError {
  return new VeilgridError("out-of-range", `no ${what}: ${why}`, { facts: { what, why }, blame: "caller" });
}

/** Reads the version byte. */
export function readVersion(from: Reader): void {
  const version = from.u8();
  if (version !== VERSION) throw from.refuse(`unknown version ${version}`);
}

/** Reads a byte that is an index into `choices`. */
export function readChoice<T>(from: Reader, what: string, choices: readonly T[]): T {
  const value = from.u8();
  const choice = choices[value];
  if (choice === undefined) throw from.refuse(`${what} ${value}`);
  return choice;
}

/** The codec of a struct: both directions keep the same rules, so that it encodes nothing that it would refuse. */
export function structCodec<T>({ what, write, read, rules }: Struct<T>): StructCodec<T> {
  return {
    encode(value) {
      const why = firstBroken(rules, value, FINEST_PERIOD_SECONDS);
      if (why !== undefined) throw unfit(what, why);
      const writer = new Writer();
      write(writer, value);
      const bytes = writer.bytes();
      if (bytes.length > MAX_INPUT_BYTES) throw unfit(what, `longer than ${MAX_INPUT_BYTES} bytes`);
      return bytes;
    },
    decode(bytes, periodSeconds = FINEST_PERIOD_SECONDS) {
      const reader = new Reader(bytes, what);
      const value = read(reader);
      reader.end();
      const why = firstBroken(rules, value, periodSeconds);
      if (why !== undefined) throw reader.refuse(why);
      return value;
    },
  };
}
