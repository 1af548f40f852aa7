import { malformed, MAX_INPUT_BYTES } from "../bytes.js";
import type { VerifiedSignatures } from "../memory.js";
import { merkleRoot } from "../merkle.js";
import { epochHead } from "../messages/epoch.js";
import type { Header } from "../messages/header.js";
import { KIND } from "../messages/kind.js";
import { decodeLeaf } from "../messages/leaf.js";
import { leavesFlaw } from "../messages/leaf-order.js";
import { NO_PERIOD } from "../messages/period.js";
import { applyRule } from "./transition.js";
import { BLOCK_PREFIX_BYTES, type LedgerView } from "./view.js";

/** Something that its issuer wants on the ledger: the kind of block it belongs in, and its leaf. */
export interface PendingLeaf {
  readonly kind: number;
  readonly leaf: Uint8Array;
}

/** Kinds that an issuer sends: a readings block has none. */
const ISSUED: ReadonlySet<number> = new Set(Object.values(KIND).filter((kind) => kind !== KIND.readings));

/** What a block of one leaf adds to it: header, signature, and three bytes of length. */
const ENVELOPE_BYTES = BLOCK_PREFIX_BYTES + 3;

/**
 * Whether a transaction could stand in a block of its own now: everything that its kind's rule checks, without a
 * leader. A data aggregator keeps only pending transactions that pass, and drops one as soon as it fails.
 * @param ts the block's time, Unix milliseconds.
 * @throws VeilgridError with a RefusalCode (`retry` where more commits or more time may change it), `malformed`.
 */
export async function checkPending(
  view: LedgerView,
  { kind, leaf }: PendingLeaf,
  ts: bigint,
  memory?: VerifiedSignatures,
): Promise<void> {
  if (!ISSUED.has(kind)) throw malformed("transaction", `kind ${kind}`);
  if (leaf.length > MAX_INPUT_BYTES - ENVELOPE_BYTES) throw malformed("transaction", "no block could hold it");
  const consortium = await view.consortium();
  const current = await view.currentParams();
  const place = placeOf(kind, leaf, current.version);
  const head = await view.head(place.region);
  const header: Header = {
    ...place,
    consortium,
    kind,
    number: head.number + 1n,
    prev: head.cbh,
    root: merkleRoot([leaf]),
    count: 1,
    term: 1n,
    round: 0,
    aggFault: false,
    leader: new Uint8Array(32),
    ts,
  };
  // A leaf alone is in order: what it can break is its own encoding, which throws.
  leavesFlaw([leaf], header, current.periodSeconds);
  const block = { header, scbh: new Uint8Array(64), leaves: [leaf] };
  const params = await view.params(place.params);
  // Only readings keep their block's hash.
  await applyRule({ view, block, cbh: new Uint8Array(32), params, current, head, consortium, memory });
}

/** An epoch goes on its region's chain under the params that it names; everything else on chain 0. */
function placeOf(kind: number, leaf: Uint8Array, version: number): Pick<Header, "region" | "params" | "period"> {
  if (kind !== KIND.epoch) return { region: 0, params: version, period: NO_PERIOD };
  const { region, params, first } = epochHead(decodeLeaf(leaf).body);
  return { region, params, period: first };
}
