import {
  blockHash,
  decodeVotes,
  genesisHeader,
  headerCodec,
  isRegionKind,
  LedgerView,
  memberIndex,
  quorum,
  toHex,
  VeilgridError,
  verifyBody,
  type CommittedHeader,
  type Header,
  type Kind,
  type Params,
  type StateReader,
} from "@veilgrid/protocol";
import { CertifiedBlocks } from "../committed/blocks.js";
import { kindName } from "../committed/kind-name.js";
import { leafFacts, type LeafFacts } from "./block-leaves.js";
import { startOf } from "./output.js";

/** A committed block as people and programs read it. Bytes are hex, numbers that may be large are decimal. */
export interface ShownBlock {
  readonly chain: number;
  readonly number: string;
  readonly kind: string;
  /** CBH. */
  readonly hash: string;
  readonly previous: string;
  readonly root: string;
  readonly consortium: string;
  readonly params: number;
  readonly term: string;
  readonly round: number;
  /** Of a readings block the period's start, of an epoch's its first one's; else null. */
  readonly period: string | null;
  readonly aggFault: boolean;
  /** Index of the aggregator that led; null where it is none of the version's, as in genesis. */
  readonly leader: number | null;
  readonly time: string;
  /** Indices of the aggregators whose votes are with the block. */
  readonly voters: readonly number[];
  readonly quorum: number;
  readonly count: number;
  /** Absent where a closed month's are deleted. */
  readonly leaves?: readonly LeafFacts[];
}

/**
 * Reads a block of a chain, its head if none is named, and verifies it.
 * @throws VeilgridError `no-block`, `uncertified-block`, `bad-signature` and the refusals of the votes.
 */
export async function shownBlock(state: StateReader, region: number, asked: bigint | "head"): Promise<ShownBlock> {
  const view = new LedgerView(state);
  const head = await view.head(region);
  const number = asked === "head" ? head.number : asked;
  if (number > head.number) throw noBlock(region, number, head.number);
  return number === 0n ? genesis(view, region) : committed(view, region, number);
}

function noBlock(region: number, number: bigint, head: bigint): VeilgridError {
  const sentence = `chain ${region} has no block ${number.toString()}; its head is ${head.toString()}`;
  return new VeilgridError("no-block", sentence, {
    facts: { region, number: number.toString(), head: head.toString() },
    blame: "caller",
  });
}

async function genesis(view: LedgerView, region: number): Promise<ShownBlock> {
  const params = await view.params(1);
  return { ...headerFacts(genesisHeader(await view.consortium(), region), params), voters: [], leaves: [] };
}

async function committed(view: LedgerView, region: number, number: bigint): Promise<ShownBlock> {
  const found = (await view.header(region, number)) as CommittedHeader;
  const { header, scbh, cert } = found;
  const params = await view.params(header.params);
  const certified = await new CertifiedBlocks({ view }).block(region, number);
  const cbh = blockHash(found.headerBytes);
  if (!verifyBody("header", header.consortium, cbh, scbh, header.leader)) {
    throw new VeilgridError("bad-signature", "the leader's signature on the block does not hold", {
      facts: { region, number: number.toString() },
      blame: "ledger",
    });
  }
  const voters = decodeVotes(cert, quorum(params.da.length)).map(({ body }) => body.da);
  const leaves = certified?.leaves.map((leaf) => leafFacts(header.kind as Kind, leaf, params.periodSeconds));
  return { ...headerFacts(header, params), voters, ...(leaves === undefined ? {} : { leaves }) };
}

function headerFacts(header: Header, params: Params): Omit<ShownBlock, "voters" | "leaves"> {
  const leader = memberIndex(params.da, header.leader);
  const hasPeriod = isRegionKind(header.kind);
  return {
    chain: header.region,
    number: header.number.toString(),
    kind: kindName(header.kind),
    hash: toHex(blockHash(headerCodec.encode(header))),
    previous: toHex(header.prev),
    root: toHex(header.root),
    consortium: toHex(header.consortium),
    params: header.params,
    term: header.term.toString(),
    round: header.round,
    period: hasPeriod ? startOf(header.period, params.periodSeconds) : null,
    aggFault: header.aggFault,
    leader: leader < 0 ? null : leader,
    time: new Date(Number(header.ts)).toISOString(),
    quorum: quorum(params.da.length),
    count: header.count,
  };
}
