import { concat, equalBytes } from "../bytes.js";
import type { VerifiedSignatures } from "../memory.js";
import { merkleRoot } from "../merkle.js";
import { blockCodec, type Block } from "../messages/block.js";
import { verifyVotes } from "../messages/certificates.js";
import { blockHash } from "../messages/hashes.js";
import { headerCodec, type Header } from "../messages/header.js";
import { KIND, isRegionKind } from "../messages/kind.js";
import type { Params } from "../messages/params.js";
import { verifyBody } from "../sig.js";
import { stateKey } from "./keys.js";
import { chainRecord, type ChainRecord } from "./records.js";
import { require } from "./refusal.js";
import { billsRule } from "./rules/bills.js";
import { closeRule } from "./rules/close.js";
import { epochRule } from "./rules/epoch.js";
import { masksRule } from "./rules/masks.js";
import { paramsRule } from "./rules/params.js";
import { pricesRule } from "./rules/prices.js";
import { readingsRule } from "./rules/readings.js";
import type { Rule, RuleInput, RuleResult } from "./rules/rule.js";
import { verdictsRule } from "./rules/verdicts.js";
import type { StateWrite, Transition } from "./state.js";
import { BLOCK_PREFIX_BYTES, memberIndex, type LedgerView } from "./view.js";

const RULES: Readonly<Record<number, Rule>> = {
  [KIND.params]: paramsRule,
  [KIND.epoch]: epochRule,
  [KIND.readings]: readingsRule,
  [KIND.masks]: masksRule,
  [KIND.prices]: pricesRule,
  [KIND.bills]: billsRule,
  [KIND.verdicts]: verdictsRule,
  [KIND.close]: closeRule,
};

/** What a block does to the state, before its certificate is there. */
export interface CheckedBlock {
  readonly block: Block;
  readonly cbh: Uint8Array;
  /** The parameter set whose aggregators vote on it. */
  readonly params: Params;
  readonly writes: readonly StateWrite[];
}

/**
 * Everything that a voter and the chaincode check of a block alike, which is everything but the certificate:
 * chain, term, leader, Merkle root, hash, signatures and the rules of its kind.
 * @throws VeilgridError with a RefusalCode, or `malformed`.
 */
export async function checkBlock(
  view: LedgerView,
  bytes: Uint8Array,
  memory?: VerifiedSignatures,
): Promise<CheckedBlock> {
  const consortium = await view.consortium();
  const current = await view.currentParams();
  // `periodSeconds` never changes, so any version says which periods a month has.
  const block = blockCodec.decode(bytes, current.periodSeconds);
  const { header } = block;
  require(equalBytes(header.consortium, consortium), "wrong-consortium", "the block is of another consortium");
  const head = await view.head(header.region);
  // E: the block hash.
  const cbh = blockHash(headerCodec.encode(header));
  await checkNew(view, header, cbh);
  checkChain(header, head);
  await checkLeader(view, header, current);
  require(verifyBody(
    "header",
    consortium,
    cbh,
    block.scbh,
    header.leader,
    memory,
  ), "bad-signature", "SCBH is not the leader's signature");
  // D: the Merkle root.
  require(equalBytes(merkleRoot(block.leaves), header.root), "wrong-root", "the root is not that of the leaves");
  const params = await view.params(header.params);
  const result = await applyRule({ view, block, cbh, params, current, head, consortium, memory });
  return { block, cbh, params, writes: [...chainWrites(header, cbh, head, result), ...result.writes] };
}

/** The identical block again answers *already committed*. */
async function checkNew(view: LedgerView, { region, number }: Header, cbh: Uint8Array): Promise<void> {
  const committed = await view.header(region, number);
  const same = committed !== undefined && equalBytes(blockHash(committed.headerBytes), cbh);
  require(!same, "already-committed", "the ledger has this block", { region, number: number.toString() });
}

/** "Chain": the number after the head's, the head's hash, and a TS later than the head's. */
function checkChain(header: Header, head: ChainRecord): void {
  const facts = { region: header.region, number: header.number.toString(), head: head.number.toString() };
  require(header.number === head.number + 1n, "wrong-number", "the block does not follow the chain's head", facts);
  require(equalBytes(header.prev, head.cbh), "wrong-previous", "the block builds on another head", facts);
  require(header.ts > head.ts, "time-not-later", "TS is not later than the previous block's", facts);
}

/** The leader of a term is whom the ledger's first certificate for it names. */
async function checkLeader(view: LedgerView, header: Header, current: Params): Promise<void> {
  const { term, leader } = await view.term();
  const facts = { term: header.term.toString(), ledger: term.toString() };
  // Votes of an older term are worthless, and so is a block; in term 0 there is no leader.
  require(header.term === term, "wrong-term", "the block is not of the term in force", facts);
  // The leader is one of the current version's, whatever period it leads.
  const leads = leader !== undefined && equalBytes(header.leader, leader) && memberIndex(current.da, leader) >= 0;
  require(leads, "not-the-leader", "the block's maker does not lead this term", facts);
}

/** The rule of the block's kind. @throws VeilgridError with a RefusalCode, `malformed`. */
export async function applyRule(input: RuleInput): Promise<RuleResult> {
  const { params, kind } = input.block.header;
  const { version } = input.current;
  // Elections and chain 0 use the version current before the block; a region's rules say what its blocks may name.
  const fits = isRegionKind(kind) || params === version;
  require(fits, "wrong-params", "the block names another version", { params, current: version });
  return (RULES[kind] as Rule)(input);
}

function chainWrites(header: Header, cbh: Uint8Array, head: ChainRecord, result: RuleResult): StateWrite[] {
  const next = { ...head, ...result.chain, number: header.number, cbh, ts: header.ts };
  return [{ key: stateKey.chain(header.region), value: chainRecord.encode(next) }];
}

/**
 * A block with its certificate: validated completely, and what it writes. The chaincode, the audit and every replay
 * call this one function.
 * @param cert exactly Q x (Vote ‖ sig).
 * @throws VeilgridError with a RefusalCode, `malformed`, or the refusals of the certificate.
 */
export async function applyBlock(
  view: LedgerView,
  bytes: Uint8Array,
  cert: Uint8Array,
  memory?: VerifiedSignatures,
): Promise<Transition> {
  const { block, cbh, params, writes } = await checkBlock(view, bytes, memory);
  const { header } = block;
  verifyVotes(await view.consortium(), params, cert, { ...header, cbh }, memory);
  const { region, number } = header;
  const body = { key: stateKey.body(region, number), value: bytes.slice(BLOCK_PREFIX_BYTES) };
  return {
    writes: [
      { key: stateKey.header(region, number), value: concat(bytes.subarray(0, BLOCK_PREFIX_BYTES), cert) },
      ...(header.count === 0 ? [] : [body]),
      ...writes,
    ],
    event: { name: "block", payload: headerCodec.encode(header) },
  };
}
