import { readPeriod, writePeriod, type Period } from "./period.js";
import { paramsRule, periodRule, regionRule, rule, structCodec, type StructCodec } from "./struct.js";

/** Encoded length of an Ack. */
export const ACK_BYTES = 45;
/** The most readings in a bundle. */
export const MAX_BUNDLE = 256;

/** A DA's acknowledgement of a bundle of readings that it verified and stored. */
export interface Ack {
  readonly params: number;
  /** Index of the DA in that params version. */
  readonly da: number;
  readonly region: number;
  readonly period: Period;
  /** How many readings, 1 to 256. */
  readonly count: number;
  /** RFC 6962 root over the readings' hashes, ascending; 32 bytes. */
  readonly root: Uint8Array;
}

/** The codec of Ack. */
export const ackCodec: StructCodec<Ack> = structCodec<Ack>({
  what: "ack",
  write: (to, v) => writePeriod(to.u16(v.params).u8(v.da).u16(v.region), v.period).u16(v.count).fixed(v.root, 32),
  read: (from) => ({
    params: from.u16(),
    da: from.u8(),
    region: from.u16(),
    period: readPeriod(from),
    count: from.u16(),
    root: from.fixed(32),
  }),
  rules: [
    paramsRule,
    regionRule,
    periodRule,
    // "uint16 count (1 to 256)"
    rule("count", (v) => v.count >= 1 && v.count <= MAX_BUNDLE),
  ],
});
