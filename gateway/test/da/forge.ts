import {
  KIND,
  blockHash,
  encodeSigned,
  headerCodec,
  isComplete,
  merkleRoot,
  proposalCodec,
  readingHash,
  readingLeaf,
  compareBytes,
  signBody,
  signStruct,
  type Header,
  type Proposal,
} from "@veilgrid/protocol";
import { secretOf } from "../support/committee.js";
import { FIRST, type Grid } from "./grid.js";

/** What a leader, honest or not, may put into a proposal other than the right thing. */
export interface Forgery {
  readonly header?: Partial<Header>;
  /** Signs the proposal instead of the leader. */
  readonly signer?: number;
  /** Signs the hash instead of the leader. */
  readonly scbh?: Uint8Array;
  /** Which DA forms it; by default the ledger's leader. */
  readonly leader?: number;
  /** Changes the proposal before it is signed. */
  readonly change?: (proposal: Proposal) => Proposal;
}

/** A signed readings proposal of the period FIRST in region 1 with these readings (113 bytes each). */
export async function readingsProposal(
  grid: Grid,
  readings: readonly Uint8Array[],
  forgery: Forgery = {},
): Promise<Uint8Array> {
  const sorted = [...readings].sort((a, b) => compareBytes(readingLeaf(a), readingLeaf(b)));
  const leaves = sorted.map(readingLeaf);
  const covering = await grid.view.epochAt(1, FIRST);
  if (covering === undefined) throw new Error("no epoch");
  const prids = leaves.map((leaf) => ({ prid: leaf.subarray(0, 32) }));
  const aggFault = !isComplete(grid.params, 1, FIRST, covering.epoch, prids);
  const content = {
    region: 1,
    kind: KIND.readings,
    period: FIRST,
    aggFault,
    root: merkleRoot(leaves),
    count: leaves.length,
  };
  return signedProposal(grid, content, { readings: sorted.map((reading) => readingHash(reading)) }, forgery);
}

/** A signed proposal: its place is the right one, unless the forgery says otherwise. */
export async function signedProposal(
  grid: Grid,
  content: Pick<Header, "region" | "kind" | "period" | "aggFault" | "root" | "count">,
  body: Pick<Proposal, "readings"> | Pick<Proposal, "leaves">,
  { header: changed, signer, scbh, leader, change = (proposal) => proposal }: Forgery = {},
): Promise<Uint8Array> {
  const head = await grid.view.head(content.region);
  const { term } = await grid.view.term();
  const index = leader ?? (await grid.leader());
  const header: Header = {
    consortium: grid.consortium,
    number: head.number + 1n,
    prev: head.cbh,
    params: 1,
    term,
    round: 0,
    leader: grid.params.da[index]?.key as Uint8Array,
    ts: BigInt(grid.clock.now()),
    ...content,
    ...changed,
  };
  const secret = secretOf(`da${index}`);
  const cbh = blockHash(headerCodec.encode(header));
  const proposal = change({ header, scbh: scbh ?? signBody("header", grid.consortium, cbh, secret), ...body });
  const key = signer === undefined ? secret : secretOf(`da${signer}`);
  return encodeSigned(signStruct("proposal", grid.consortium, proposalCodec, proposal, key));
}
