import {
  BloomFilter,
  KIND,
  blockCodec,
  blockHash,
  compareBytes,
  encodeCertificate,
  encodeSigned,
  epochCodec,
  genesisHash,
  headerCodec,
  merkleRoot,
  proposalCodec,
  readingHash,
  readingLeaf,
  seedLeafHash,
  setCommitment,
  signBody,
  signStruct,
  voteCodec,
  type Epoch,
  type Header,
  type Period,
  type Reading,
  type Signed,
} from "../src/index.js";
import type { Consortium, Input } from "./input.js";
import { periodOf, type MeterKeys } from "./meters.js";

/** A block with everything that its consensus leaves behind. */
export interface Committed {
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  readonly cbh: Uint8Array;
  readonly scbh: Uint8Array;
  readonly leaves: readonly Uint8Array[];
  readonly block: Uint8Array;
  /** With the leader's signature. */
  readonly proposal: Uint8Array;
  readonly certificate: Uint8Array;
}

/** What a block says beyond its place in the chain. */
interface Content {
  readonly kind: number;
  readonly period: Period;
  readonly aggFault: boolean;
  readonly ts: number;
  readonly leaves: readonly Uint8Array[];
  /** Readings blocks: the hash of each leaf's reading. */
  readonly readings?: readonly Uint8Array[];
}

/** The PRIDs of the k-th period, ascending: the list that KGCBP sends the DAs. */
export function pridList(meters: readonly MeterKeys[], k: number): Uint8Array[] {
  return meters.flatMap(({ halves }) => (halves[k] ?? []).map(({ prid }) => prid)).sort(compareBytes);
}

/** The epoch of the run, in which all meters' keys begin to count. */
export function epochOf(input: Input, { params }: Consortium, meters: readonly MeterKeys[]): Epoch {
  const seedLeaves = meters.map(({ bid, seeds }) => seedLeafHash(bid, input.first, seeds)).sort(compareBytes);
  const entries = Array.from({ length: input.periods }, (_, k) => {
    const prids = pridList(meters, k);
    const { bits: bf1 } = BloomFilter.of("veilgrid/1/bf1", prids, 2 * meters.length, params);
    return { bf1, set: setCommitment(input.region, periodOf(input, k), prids) };
  });
  return {
    region: input.region,
    first: input.first,
    periods: input.periods,
    params: params.version,
    meters: meters.length,
    leaves: meters.length,
    seedRoot: merkleRoot(seedLeaves),
    entries,
  };
}

function commit(input: Input, consortium: Consortium, number: bigint, prev: Uint8Array, content: Content): Committed {
  const { params, id, daSecrets } = consortium;
  const { leader, voters, term, round } = input.consensus;
  const { leaves, readings, kind, period, aggFault } = content;
  const secret = daSecrets[leader] as Uint8Array;
  const place = { region: input.region, number, params: params.version, term: BigInt(term), round };
  const header: Header = {
    ...place,
    consortium: id,
    kind,
    prev,
    root: merkleRoot(leaves),
    count: leaves.length,
    period,
    aggFault,
    leader: (params.da[leader] as { key: Uint8Array }).key,
    ts: BigInt(content.ts),
  };
  const headerBytes = headerCodec.encode(header);
  const cbh = blockHash(headerBytes);
  const scbh = signBody("header", id, cbh, secret);
  const named = readings === undefined ? { leaves } : { readings };
  const proposal = signStruct("proposal", id, proposalCodec, { header, scbh, ...named }, secret);
  const votes = voters.map((da) =>
    signStruct("vote", id, voteCodec, { ...place, cbh, da }, daSecrets[da] as Uint8Array),
  );
  return {
    header,
    headerBytes,
    cbh,
    scbh,
    leaves,
    block: blockCodec.encode({ header, scbh, leaves }),
    proposal: encodeSigned(proposal),
    certificate: encodeCertificate(votes),
  };
}

/** Block 1 of the region's chain: the epoch, signed by KGCBP. */
export function epochBlock(input: Input, consortium: Consortium, epoch: Epoch): Committed {
  const { id, params, kgcbpSecret } = consortium;
  const leaf = encodeSigned(signStruct("epoch", id, epochCodec(params), epoch, kgcbpSecret));
  const content = {
    kind: KIND.epoch,
    period: epoch.first,
    aggFault: false,
    ts: input.consensus.ts.epoch,
    leaves: [leaf],
  };
  return commit(input, consortium, 1n, genesisHash(id, input.region), content);
}

/**
 * The readings block of the k-th period over everything that was sent: `aggFault` says whether the distinct PRIDs are
 * others than the list.
 */
export function readingsBlock(
  input: Input,
  consortium: Consortium,
  k: number,
  sent: readonly Signed<Reading>[],
  listed: number,
  prev: Uint8Array,
): Committed {
  const signed = sent
    .map((reading) => ({ leaf: readingLeaf(encodeSigned(reading)), hash: readingHash(reading.bytes, reading.sig) }))
    .sort((a, b) => compareBytes(a.leaf, b.leaf));
  const distinct = new Set(sent.map(({ body }) => body.prid.join()));
  return commit(input, consortium, BigInt(k + 2), prev, {
    kind: KIND.readings,
    period: periodOf(input, k),
    // Nothing foreign is ever sent here, so fewer PRIDs than listed are all that can be wrong.
    aggFault: distinct.size !== listed,
    ts: input.consensus.ts.readings[k] as number,
    leaves: signed.map(({ leaf }) => leaf),
    readings: signed.map(({ hash }) => hash),
  });
}
