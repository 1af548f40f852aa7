import {
  KIND,
  Writer,
  blockHash,
  concat,
  electionCodec,
  encodeCertificate,
  merkleRoot,
  quorum,
  signBody,
  signStruct,
  voteCodec,
  type Header,
  type Member,
  type Params,
  type Period,
  type Vote,
} from "@veilgrid/protocol";
import { secretOf } from "./members.js";

/** What a block says, but for its place in the chain. */
export interface Draft {
  readonly region: number;
  readonly kind: number;
  readonly params: number;
  readonly period: Period;
  readonly aggFault: boolean;
  readonly ts: bigint;
  readonly leaves: readonly Uint8Array[];
}

/** A block's place: after which head, and under which leader. */
export type BlockPlace = Pick<Header, "consortium" | "number" | "prev" | "term" | "leader">;

/** The one thing that a test breaks: everything that follows from it stays as a forger would make it. */
export interface Forgery {
  /** Fields of the header instead of those that the chain asks for. */
  readonly header?: Partial<Header>;
  /** Key of whoever seals the header in the leader's stead. */
  readonly sealer?: Uint8Array;
  /** Who votes, by index in `da`: the first Q, unless told otherwise. */
  readonly voters?: readonly number[];
  /** Fields of the votes instead of the block's. */
  readonly vote?: Partial<Vote>;
  /** Key of whoever signs the last vote in its DA's stead. */
  readonly lastVoter?: Uint8Array;
}

/** A block as it is submitted. */
export interface SealedBlock {
  readonly header: Header;
  readonly cbh: Uint8Array;
  readonly block: Uint8Array;
  readonly cert: Uint8Array;
}

function membersKey({ da }: Params, index: number): Uint8Array {
  return (da[index] as Member).key;
}

/** The first Q aggregators. */
function firstVoters({ da }: Params): number[] {
  return Array.from({ length: quorum(da.length) }, (_, i) => i);
}

/** A header without any of the rules that its codec keeps. */
function encodeHeader(v: Header): Uint8Array {
  const out = new Writer().u8(1).raw(v.consortium).u16(v.region).u8(v.kind).u64(v.number).raw(v.prev).raw(v.root);
  out.u32(v.count).u16(v.params).u64(v.term).u32(v.round).u32(v.period.month).u16(v.period.k);
  return out.u8(Number(v.aggFault)).raw(v.leader).u64(v.ts).bytes();
}

/** Header, leader's signature and leaves, likewise. */
function encodeBlock(header: Header, scbh: Uint8Array, leaves: readonly Uint8Array[]): Uint8Array {
  const out = new Writer();
  for (const leaf of leaves) {
    if (header.kind === KIND.readings) out.raw(leaf);
    else out.opaque(leaf, 0, 2 ** 24 - 1);
  }
  return concat(encodeHeader(header), scbh, out.bytes());
}

/** Seals a block and has it voted for by aggregators of `voting`, the version that its header names. */
export function sealBlock(place: BlockPlace, draft: Draft, voting: Params, forgery: Forgery = {}): SealedBlock {
  const { leaves, ...said } = draft;
  const body = { root: merkleRoot(leaves), count: leaves.length, round: 0 };
  const header: Header = { ...said, ...place, ...body, ...forgery.header };
  const cbh = blockHash(encodeHeader(header));
  const scbh = signBody("header", place.consortium, cbh, secretOf(forgery.sealer ?? header.leader));
  return { header, cbh, block: encodeBlock(header, scbh, leaves), cert: votesFor(header, cbh, voting, forgery) };
}

function votesFor(header: Header, cbh: Uint8Array, voting: Params, forgery: Forgery): Uint8Array {
  const { params, region, number, term, round, consortium } = header;
  const voters = forgery.voters ?? firstVoters(voting);
  const signed = voters.map((da, i) => {
    const key = i === voters.length - 1 ? (forgery.lastVoter ?? membersKey(voting, da)) : membersKey(voting, da);
    const body = { params, region, number, term, round, cbh, da, ...forgery.vote };
    return signStruct("vote", consortium, voteCodec, body, secretOf(key));
  });
  return encodeCertificate(signed);
}

/** A certificate of votes for a candidate, by its index in `da`. */
export function electionCertificate(
  consortium: Uint8Array,
  params: Params,
  { term, candidate, voters = firstVoters(params) }: { term: bigint; candidate: number; voters?: readonly number[] },
): Uint8Array {
  const body = { params: params.version, term, candidate };
  const signed = voters.map((voter) =>
    signStruct("election", consortium, electionCodec, { ...body, voter }, secretOf(membersKey(params, voter))),
  );
  return encodeCertificate(signed);
}
