import { concat, toHex } from "../src/index.js";
import * as raw from "./raw.js";

/** The one encoding of an example. */
export interface Struct {
  readonly what: string;
  readonly hex: string;
}

const LAST_QUARTER = { month: raw.MONTH, k: 2975 };

/** Encodings that every decoder must accept, by the decoder's name; most of them are at an edge of what is allowed. */
const VALID: readonly [string, Uint8Array][] = [
  ["params", raw.params()],
  ["params", raw.params({ release: 1, completeness: 1, periodSeconds: 900, minReleaseMeters: 5, maxRegionMeters: 5 })],
  [
    "params",
    raw.params({ da: [raw.member("!", 1)], cc: raw.member("~", 2), kgcbp: raw.member("~", 3), version: 65_535 }),
  ],
  ["params-leaf", raw.params({ version: 2 })],
  ["params-leaf", raw.signed(raw.params({ version: 2 }))],
  ["epoch", raw.epoch()],
  ["epoch", raw.epoch({ leaves: 0, seedRoot: raw.EMPTY_ROOT })],
  ["epoch-upfront-sum", raw.epoch({ tail: raw.UPFRONT_SUM_TAIL })],
  ["reading", raw.reading()],
  ["reading", raw.reading({ period: LAST_QUARTER, rc: 2n ** 64n - 1n, region: 65_535 })],
  ["reading", raw.reading({ period: { month: 12 * 1970, k: 0 } })],
  ["reading", raw.reading({ period: { month: 12 * 9999 + 11, k: 0 } })],
  ["reading-1800", raw.reading({ period: { month: raw.MONTH, k: 1487 } })],
  ["ack", raw.ack()],
  ["ack", raw.ack({ count: 256 })],
  ["receipt", concat(...[0, 1, 3].map((da) => raw.receiptEntry({ ack: raw.ack({ da }) })))],
  ["answer", raw.answer()],
  ["answer", raw.answer({ class: 4, code: 50 })],
  ["answer", raw.answer({ class: 3, code: 65_535 })],
  ["answer", raw.answer({ class: 5, code: 32 })],
  ["header", raw.header({ aggFault: 1 })],
  ["header", raw.genesis()],
  ["block", raw.block({}, raw.readingLeaf(1, 5n), raw.readingLeaf(1, 6n), raw.readingLeaf(2, 0n))],
  ["block", raw.block({ root: raw.EMPTY_ROOT, aggFault: 1 })],
  ["block-1800", raw.block({ period: { month: raw.MONTH, k: 1487 } }, raw.readingLeaf(1, 5n))],
  ["block", raw.block(raw.onChain0(1), raw.prefixed(raw.signed(raw.params({ version: 2 }))))],
  ["block", raw.block({ kind: 2, period: { month: raw.MONTH, k: 46 } }, raw.prefixed(raw.signed(raw.epoch())))],
  ["block", raw.block(raw.onChain0(4), raw.prefixed(raw.signed(raw.mask())))],
  ["block", raw.block(raw.onChain0(5), ...[1, 2].map((region) => raw.prefixed(raw.signed(raw.price({ region })))))],
  ["block", raw.block(raw.onChain0(6), raw.prefixed(raw.signed(raw.bills())))],
  ["block", raw.block(raw.onChain0(7), raw.prefixed(raw.signed(raw.verdict())))],
  ["block", raw.block(raw.onChain0(8), raw.prefixed(raw.signed(raw.close())))],
  ["proposal", raw.block({}, raw.fill(32, 2), raw.fill(32, 1))],
  ["proposal", raw.block(raw.onChain0(4), raw.prefixed(raw.signed(raw.mask())))],
  ["incomplete", raw.incomplete()],
  ["vote", raw.vote()],
  ["vote", raw.vote({ region: 0 })],
  ["timeout", raw.timeout()],
  ["election", raw.election()],
  ["vote-certificate", concat(...[0, 2, 3].map((da) => raw.signed(raw.vote({ da }))))],
  ["timeout-certificate", concat(...[1, 2, 3].map((da) => raw.signed(raw.timeout({ da }))))],
  ["election-certificate", concat(...[0, 1, 2].map((voter) => raw.signed(raw.election({ voter }))))],
  ["mask", raw.mask()],
  ["mask", raw.mask({ status: 2, z: 0n, excluded: [] })],
  ["price", raw.price()],
  ["price", raw.price({ basis: 4, consumption: 0n })],
  ["price", raw.price({ basis: 5, consumption: 0n, cbh: raw.fill(32, 0) })],
  ["bills", raw.bills()],
  ["bills", raw.bills({ entries: [raw.billEntry(1, raw.fill(64, 1))] })],
  ["verdict", raw.verdict()],
  ["close", raw.close()],
  ["delivery", raw.delivery()],
  ["delivery", raw.delivery({ keep: 0, serial: 0xffff_ffff, meter: raw.ascii("M") })],
  ["delivery", raw.delivery({ meter: raw.fill(255, 0x4d), chains: raw.manyChains(255) })],
  ["delivery-1800", raw.delivery({ chains: [raw.chain({ first: { month: raw.MONTH, k: 1487 } })] })],
];

/** What protocol/vectors/structs.json holds. */
export function structs(): Struct[] {
  return VALID.map(([what, bytes]) => ({ what, hex: toHex(bytes) }));
}
