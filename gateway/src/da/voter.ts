import {
  KIND,
  blockCodec,
  blockHash,
  checkBlock,
  daAddress,
  decodeLeaf,
  decodeSigned,
  encodeSigned,
  epochCodec,
  equalBytes,
  headerCodec,
  incompleteCodec,
  isVeilgridError,
  memberIndex,
  periodEnd,
  proposalCodec,
  voteCodec,
  type AnswerName,
  type Header,
  type LedgerView,
  type Member,
  type Params,
  type Proposal,
  type Signed,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Address } from "../ports/transport.js";
import { encodeAccepted, encodeIncomplete } from "../transport/envelopes.js";
import type { Answers } from "./answers.js";
import type { Ballots } from "./ballots.js";
import { knownEpoch } from "./epochs.js";
import type { Freeze } from "./freeze.js";
import type { Inbox } from "./inbox.js";
import type { ListExchange } from "./list-exchange.js";
import type { Lists } from "./lists.js";
import type { Membership } from "./membership.js";
import { nameOf } from "./names.js";
import type { OpenPeriod, Periods } from "./periods.js";
import { byLeaf, type HeldReading } from "./pool.js";

const RETRY_MS = 1_000;

/** Why a proposal gets no vote: the answer's name, and whether asking again may help. */
interface Objection {
  readonly name: AnswerName;
  readonly retry: boolean;
  readonly retryAfterMs?: number;
}

/** A readings proposal that names readings which are not here. */
export interface MissingBodies {
  readonly open: OpenPeriod;
  /** Where the leader is asked: it has the bodies. */
  readonly leader: Address;
  /** readingHashes, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
}

/** What a proposal gets: an answer in its envelope, or the wish for bodies first. */
export type Judgement = { readonly response: Uint8Array } | { readonly missing: MissingBodies };

/** A proposal that came from the leader of the term and follows the chain's head. */
interface Case {
  readonly proposal: Proposal;
  readonly header: Header;
  readonly cbh: Uint8Array;
  /** The version that the header names, whose members vote. */
  readonly params: Params;
  /** This DA's index there. */
  readonly da: number;
}

function objection(name: AnswerName, retry = false, retryAfterMs = 0): Objection {
  return { name, retry, retryAfterMs };
}

/**
 * Votes on proposals (PROTOCOL section 4, Consensus): "each DA checks A (time, and that it has frozen the period), B
 * (every reading: list, filter and signature), C (completeness), D (Merkle root), E (block hash), the chain, and that
 * every reading it acked, or else two others of its PRID, are in it; else it answers incomplete with those readings".
 * A to E and the chain are `checkBlock`, which the chaincode runs too; what only a DA knows is checked here.
 */
export class Voter {
  readonly #modules: VoterModules;

  constructor(modules: VoterModules) {
    this.#modules = modules;
  }

  /**
   * Judges a signed proposal.
   * @param extra readings that were fetched for it beyond what the pool keeps.
   * @throws VeilgridError `malformed`.
   */
  async judge(bytes: Uint8Array, extra: readonly HeldReading[] = []): Promise<Judgement> {
    const { membership, answers } = this.#modules;
    const signed = decodeSigned(proposalCodec, bytes, membership.current.periodSeconds);
    const { header } = signed.body;
    const cbh = blockHash(headerCodec.encode(header));
    const found = await this.#place(signed, cbh);
    if ("name" in found) return { response: answers.make(found.name, { ...found, hash: cbh }) };
    return header.kind === KIND.readings ? this.#judgeReadings(found, extra) : this.#judgeLeaves(found);
  }

  /** Who proposes, under which params, in which term, at which place of the chain, and when. */
  async #place(signed: Signed<Proposal>, cbh: Uint8Array): Promise<Case | Objection> {
    const { membership } = this.#modules;
    const { header } = signed.body;
    if (!equalBytes(header.consortium, membership.id)) return objection("bad-block");
    const params = await this.#params(header.params);
    const da = params && membership.indexIn(params);
    if (params === undefined || da === undefined) return objection("unknown-params");
    const wrong =
      (await this.#wrongLeader(header)) ??
      this.#unsigned(signed) ??
      (await this.#wrongNumber(header)) ??
      this.#wrongTime(header, params);
    return wrong ?? { proposal: signed.body, header, cbh, params, da };
  }

  async #params(version: number): Promise<Params | undefined> {
    try {
      return await this.#modules.membership.params(version);
    } catch (error) {
      if (isVeilgridError(error, "wrong-params")) return undefined;
      throw error;
    }
  }

  /** "Votes of an older term are worthless"; "the leader of a term is whom the ledger's first certificate names" */
  async #wrongLeader({ term, leader }: Header): Promise<Objection | undefined> {
    const ledger = await this.#modules.view.term();
    if (term < ledger.term) return objection("stale-term");
    // A later term that the own peer has not heard of yet.
    if (term > ledger.term) return objection("unknown-leader", true, RETRY_MS);
    const named = ledger.leader !== undefined && equalBytes(leader, ledger.leader);
    // "elections and chain 0 use the current one, and so does the leader, whatever period it leads"
    const leads = named && memberIndex(this.#modules.membership.current.da, leader) >= 0;
    return leads ? undefined : objection("unknown-leader");
  }

  #unsigned(signed: Signed<Proposal>): Objection | undefined {
    const good = this.#modules.membership.verify("proposal", signed, signed.body.header.leader);
    return good ? undefined : objection("bad-signature");
  }

  async #wrongNumber({ region, number }: Header): Promise<Objection | undefined> {
    const head = await this.#modules.view.head(region);
    if (number <= head.number) return objection("already-committed");
    // The own peer lags behind the leader's.
    return number > head.number + 1n ? objection("busy", true, RETRY_MS) : undefined;
  }

  /** A: "A voter requires |TS - its clock| <= maxSkew" */
  #wrongTime({ ts }: Header, { maxSkewMs }: Params): Objection | undefined {
    const skew = ts - BigInt(this.#modules.clock.now());
    const within = skew <= BigInt(maxSkewMs) && -skew <= BigInt(maxSkewMs);
    return within ? undefined : objection("bad-time", true, RETRY_MS);
  }

  async #judgeLeaves(found: Case): Promise<Judgement> {
    const leaves = found.proposal.leaves as readonly Uint8Array[];
    const refused = await this.#checked(found, leaves);
    if (refused !== undefined) return { response: refused };
    // A parameter set has no issuer whose signature would stand for it: it is voted on by what the operators approved.
    if (found.header.kind === KIND.params && !this.#modules.inbox.isApproved(leaves[0] as Uint8Array)) {
      return this.#object(found, objection("bad-block", true, RETRY_MS));
    }
    if (found.header.kind === KIND.epoch && this.#missesLists(found, leaves)) {
      return this.#object(found, objection("no-epoch", true, RETRY_MS));
    }
    return { response: await this.#vote(found) };
  }

  /** "A DA votes for an epoch only if it holds lists for every S": what it lacks it looks for at the others. */
  #missesLists({ params }: Case, [leaf]: readonly Uint8Array[]): boolean {
    const { lists, listExchange } = this.#modules;
    const known = knownEpoch(epochCodec(params).decode(decodeLeaf(leaf as Uint8Array).body), params);
    if (lists.missing(known).length === 0) return false;
    listExchange.search(known, periodEnd(known.epoch.first, params.periodSeconds));
    return true;
  }

  async #judgeReadings(found: Case, extra: readonly HeldReading[]): Promise<Judgement> {
    const { freeze, periods, membership } = this.#modules;
    const { region, period, leader } = found.header;
    const open = await periods.open(region, period);
    if (open === undefined) return this.#object(found, objection("no-epoch", true, RETRY_MS));
    // A: "then the period is frozen (on disk) …, and only then may it vote on it"
    if (!freeze.isKept(region, period)) {
      const left = open.window.freezes - this.#modules.clock.now();
      return this.#object(found, objection("not-frozen", true, Math.max(left, RETRY_MS)));
    }
    const held = open.pool.held();
    for (const reading of extra) held.set(reading.id, reading);
    const hashes = found.proposal.readings as readonly Uint8Array[];
    const missing = hashes.filter((hash) => !held.has(nameOf(hash)));
    if (missing.length > 0) {
      const { da } = membership.current;
      // The leader was found among them when its proposal was placed.
      const asked = daAddress(da[memberIndex(da, leader)] as Member);
      return { missing: { open, leader: asked, hashes: missing } };
    }
    const readings = hashes.map((hash) => held.get(nameOf(hash)) as HeldReading);
    return { response: await this.#judgeComplete(found, open, readings) };
  }

  async #judgeComplete(found: Case, open: OpenPeriod, readings: readonly HeldReading[]): Promise<Uint8Array> {
    // B, the list: every reading that is held was found on it. Filter and signature are checkBlock's.
    const refused = await this.#checked(
      found,
      readings.map(({ leaf }) => leaf),
    );
    if (refused !== undefined) return refused;
    const left = leftOut(open, readings);
    return left.length > 0 ? this.#incomplete(found, left) : this.#vote(found);
  }

  /** A to E and the chain: the answer to a block that fails, or undefined. */
  async #checked(found: Case, leaves: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const { header, proposal } = found;
    const { view, memory, log } = this.#modules;
    try {
      await checkBlock(view, blockCodec.encode({ header, scbh: proposal.scbh, leaves }), memory);
      return undefined;
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      log("warn", "bad-block", { chain: header.region, number: header.number.toString(), code: error.code });
      return this.#answer(found, objection("bad-block", error.retry, error.retry ? RETRY_MS : 0));
    }
  }

  #incomplete({ header, params, da }: Case, left: readonly HeldReading[]): Uint8Array {
    const { region, number, term, round } = header;
    const missing = left.map(({ leaf }) => leaf);
    const body = { params: params.version, region, number, term, round, da, missing };
    return encodeIncomplete(encodeSigned(this.#modules.membership.sign("incomplete", incompleteCodec, body, params)));
  }

  async #vote(found: Case): Promise<Uint8Array> {
    const { header, cbh, params, da } = found;
    const { region, number, term, round } = header;
    const vote = { params: params.version, region, number, term, round, cbh, da };
    if (!(await this.#modules.ballots.cast(vote))) return this.#answer(found, objection("wrong-round", true));
    return encodeAccepted(encodeSigned(this.#modules.membership.sign("vote", voteCodec, vote, params)));
  }

  #object(found: Case, why: Objection): Judgement {
    return { response: this.#answer(found, why) };
  }

  #answer({ params, cbh }: Case, why: Objection): Uint8Array {
    return this.#modules.answers.make(why.name, { ...why, params, hash: cbh });
  }
}

/** What this DA acked that is not in the block, unless two others of its PRID are; in the order of leaves. */
function leftOut(open: OpenPeriod, readings: readonly HeldReading[]): HeldReading[] {
  const ids = new Set(readings.map(({ id }) => id));
  const counts = new Map<string, number>();
  for (const { prid } of readings) counts.set(prid, (counts.get(prid) ?? 0) + 1);
  const left = open.pool.acked().filter(({ id, prid }) => !ids.has(id) && (counts.get(prid) ?? 0) < 2);
  return left.sort(byLeaf);
}

/** What Voter works with. */
export interface VoterModules {
  readonly clock: Clock;
  readonly view: LedgerView;
  readonly memory: VerifiedSignatures;
  readonly log: Log;
  readonly membership: Membership;
  readonly answers: Answers;
  readonly ballots: Ballots;
  readonly freeze: Freeze;
  readonly periods: Periods;
  readonly lists: Lists;
  readonly listExchange: ListExchange;
  readonly inbox: Inbox;
}
