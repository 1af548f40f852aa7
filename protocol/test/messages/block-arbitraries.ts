import fc from "fast-check";
import {
  KIND,
  NO_PERIOD,
  billsCodec,
  closeCodec,
  compareBytes,
  concat,
  encodeLeaf,
  encodeParamsLeaf,
  epochCodec,
  maskCodec,
  paramsCodec,
  priceCodec,
  toHex,
  verdictCodec,
  type Block,
  type Codec,
  type Header,
  type Period,
  type Proposal,
} from "../../src/index.js";
import { bytes32, bytesOf, element } from "../arbitraries.js";
import * as body from "./arbitraries.js";
import { above0, above0n, ascending, period, u32 } from "./arbitraries.js";

/*
 * Arbitraries of blocks, headers and proposals of all kinds. Roots and signatures are none: decoders do not check them.
 */

const sig = bytesOf(64);

/** What a block's header and its leaves must agree in. */
interface Content {
  readonly kind: number;
  readonly region: number;
  readonly params: number;
  readonly period: Period;
  readonly leaves: readonly Uint8Array[];
}

/** Leaves of a readings block: one or two of each PRID. */
const readingLeaves = fc
  .uniqueArray(bytes32, { selector: toHex, maxLength: 6 })
  .chain((prids) =>
    fc
      .tuple(...prids.map((prid) => ascending(72, 2, 1).map((tails) => tails.map((tail) => concat(prid, tail)))))
      .map((groups) => groups.flat().sort(compareBytes)),
  );

const readingsContent: fc.Arbitrary<Content> = fc.record({
  kind: fc.constant(KIND.readings),
  region: above0,
  params: above0,
  period: period(),
  leaves: readingLeaves,
});

const epochContent: fc.Arbitrary<Content> = body.params.chain((set) =>
  fc.tuple(body.epoch(set), sig).map(([epoch, signature]) => ({
    kind: KIND.epoch,
    region: epoch.region,
    params: epoch.params,
    period: epoch.first,
    leaves: [encodeLeaf(epochCodec(set).encode(epoch), signature)],
  })),
);

/** Signed bodies of one struct, ascending by the key that `key` reads off their bytes. */
function signedBodies<T>(
  bodies: fc.Arbitrary<T>,
  codec: Codec<T>,
  key: (bytes: Uint8Array) => Uint8Array,
): fc.Arbitrary<Uint8Array[]> {
  const leaf = fc.tuple(bodies, sig).map(([value, signature]) => encodeLeaf(codec.encode(value), signature));
  const distinct = fc.uniqueArray(leaf, { selector: (one) => toHex(key(one)), minLength: 1, maxLength: 3 });
  return distinct.map((list) => list.sort((a, b) => compareBytes(key(a), key(b))));
}

const front = (size: number) => (bytes: Uint8Array) => bytes.subarray(0, size);
const verdictKey = (bytes: Uint8Array): Uint8Array => concat(bytes.subarray(0, 8), bytes.subarray(16, 48));

const paramsLeaves = fc
  .tuple(body.params, fc.array(sig, { maxLength: 3 }))
  .map(([set, possessions]) => [encodeParamsLeaf(paramsCodec.encode(set), possessions)]);

const chain0Leaves: readonly [number, fc.Arbitrary<Uint8Array[]>][] = [
  [KIND.params, paramsLeaves],
  [KIND.masks, signedBodies(body.mask, maskCodec, front(8))],
  [KIND.prices, signedBodies(body.price, priceCodec, front(8))],
  [KIND.bills, signedBodies(body.bills, billsCodec, (bytes) => bytes.subarray(7, 23))],
  [KIND.verdicts, signedBodies(body.verdict, verdictCodec, verdictKey)],
  [KIND.close, signedBodies(body.close, closeCodec, front(6))],
];

const chain0Contents: fc.Arbitrary<Content>[] = chain0Leaves.map(([kind, leaves]) =>
  leaves.chain((list) => above0.map((params) => ({ kind, region: 0, params, period: NO_PERIOD, leaves: list }))),
);

const rest = fc.record({
  consortium: bytes32,
  number: above0n,
  prev: bytes32,
  root: bytes32,
  term: above0n,
  round: u32,
  leader: bytes32,
  ts: element,
});

/** A block of any kind. */
export const block: fc.Arbitrary<Block> = fc
  .tuple(fc.oneof(epochContent, readingsContent, ...chain0Contents), rest, fc.boolean(), sig)
  .map(([{ leaves, ...content }, fields, fault, scbh]) => {
    const aggFault = content.kind === KIND.readings && fault;
    return { header: { ...content, ...fields, count: leaves.length, aggFault }, scbh, leaves };
  });

/** The header of a block of any kind. */
export const header: fc.Arbitrary<Header> = block.map((one) => one.header);

/** The proposal of a block of any kind. */
export const proposal: fc.Arbitrary<Proposal> = block.chain(({ leaves, ...signed }): fc.Arbitrary<Proposal> => {
  const { kind, count } = signed.header;
  if (kind !== KIND.readings) return fc.constant({ ...signed, leaves });
  const hashes = fc.uniqueArray(bytes32, { selector: toHex, minLength: count, maxLength: count });
  return hashes.map((readings) => ({ ...signed, readings }));
});
