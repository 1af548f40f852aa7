import {
  KIND,
  NO_PERIOD,
  blockCodec,
  blockHash,
  encodeSigned,
  epochHead,
  decodeLeaf,
  headerCodec,
  isComplete,
  merkleRoot,
  proposalCodec,
  type Header,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import type { Item } from "./agenda.js";
import type { Membership } from "./membership.js";
import type { OpenPeriod } from "./periods.js";
import type { HeldReading } from "./pool.js";

/** What a block is about, before it has a place on its chain. */
export interface Content {
  readonly region: number;
  readonly kind: number;
  readonly period: Period;
  /** The version that header, votes and proposal name. */
  readonly params: Params;
  readonly aggFault: boolean;
  readonly leaves: readonly Uint8Array[];
  /** Readings blocks: the readings behind the leaves. */
  readonly readings?: readonly HeldReading[];
}

/** Where a block goes, when, and who forms it. */
export interface Place {
  readonly number: bigint;
  readonly prev: Uint8Array;
  readonly term: bigint;
  readonly round: number;
  readonly ts: bigint;
}

/** A block ready to be voted on. */
export interface Draft {
  readonly header: Header;
  readonly cbh: Uint8Array;
  /** The encoded block. */
  readonly block: Uint8Array;
  /** The encoded Proposal ‖ sig. */
  readonly proposal: Uint8Array;
}

/** A readings block's content: its leaves are those of `readings`, which are in the order of a block. */
export function readingsContent(open: OpenPeriod, readings: readonly HeldReading[]): Content {
  const { region, period, params, covering } = open;
  const leaves = readings.map(({ leaf }) => leaf);
  const prids = leaves.map((leaf) => ({ prid: leaf.subarray(0, 32) }));
  const aggFault = !isComplete(params, region, period, covering.epoch, prids);
  return { region, kind: KIND.readings, period, params, aggFault, leaves, readings };
}

/** The content of an epoch block, or of one on chain 0. */
export async function issuedContent(
  item: Exclude<Item, { readonly kind: typeof KIND.readings }>,
  membership: Membership,
): Promise<Content> {
  if (item.kind !== KIND.epoch) {
    const { of, leaves } = item;
    return { region: 0, kind: of, period: NO_PERIOD, params: membership.current, aggFault: false, leaves: leaves() };
  }
  const { params, first } = epochHead(decodeLeaf(item.leaf).body);
  const version = await membership.params(params);
  return {
    region: item.region,
    kind: KIND.epoch,
    period: first,
    params: version,
    aggFault: false,
    leaves: [item.leaf],
  };
}

/** Header, hash, SCBH, block and signed proposal. */
export function draft(content: Content, place: Place, membership: Membership): Draft {
  const { region, kind, period, params, aggFault, leaves, readings } = content;
  const header: Header = {
    consortium: membership.id,
    region,
    kind,
    period,
    aggFault,
    ...place,
    root: merkleRoot(leaves),
    count: leaves.length,
    params: params.version,
    leader: membership.key,
  };
  const cbh = blockHash(headerCodec.encode(header));
  const scbh = membership.signHash(cbh);
  const body = readings === undefined ? { leaves } : { readings: readings.map(({ hash }) => hash) };
  const proposal = encodeSigned(
    membership.sign("proposal", proposalCodec, { header, scbh, ...body }, membership.current),
  );
  return { header, cbh, block: blockCodec.encode({ header, scbh, leaves }), proposal };
}
