import { compareBytes, concat, equalBytes, malformed } from "../bytes.js";
import { VeilgridError, type Facts } from "../errors.js";
import type { VerifiedSignatures } from "../memory.js";
import type { SigKind } from "../sig.js";
import { SIG_BYTES } from "./leaf.js";
import type { Member, Params } from "./params.js";
import { quorum as quorumOf } from "./quorum.js";
import { decodeSigned, encodeSigned, verifySigned, type Signed } from "./signed.js";
import type { StructCodec } from "./struct.js";
import { elements } from "./vectors.js";
import {
  ELECTION_BYTES,
  TIMEOUT_BYTES,
  VOTE_BYTES,
  electionCodec,
  timeoutCodec,
  voteCodec,
  type Election,
  type Timeout,
  type Vote,
} from "./votes.js";

/** What all votes of a certificate agree in. */
export type VoteSubject = Omit<Vote, "da">;

/** A sort of certificate: its bodies all end with the byte that names the signer. */
interface Sort<T> {
  readonly what: SigKind;
  readonly codec: StructCodec<T>;
  readonly size: number;
}

const VOTES: Sort<Vote> = { what: "vote", codec: voteCodec, size: VOTE_BYTES };
const TIMEOUTS: Sort<Timeout> = { what: "timeout", codec: timeoutCodec, size: TIMEOUT_BYTES };
const ELECTIONS: Sort<Election> = { what: "election", codec: electionCodec, size: ELECTION_BYTES };

/** Why a certificate does not count, though it may be well-formed. */
export type CertificateRefusal =
  "too-few-votes" | "duplicate-voter" | "not-a-member" | "bad-signature" | "wrong-params" | "other-block";

function refuse(code: CertificateRefusal, message: string, facts: Facts): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "peer" });
}

function signerOf(body: Uint8Array): number {
  return body.at(-1) as number;
}

/**
 * A certificate: the signed bodies one after the other, ascending by da (voter). The caller brings Q of them that agree.
 */
export function encodeCertificate(list: readonly Pick<Signed<unknown>, "bytes" | "sig">[]): Uint8Array {
  const ascending = [...list].sort((a, b) => signerOf(a.bytes) - signerOf(b.bytes));
  return concat(...ascending.map(encodeSigned));
}

/** "exactly Q x (body ‖ sig), no prefix, strictly ascending by da (voter), equal in every other field" */
function decode<T>({ what, codec, size }: Sort<T>, bytes: Uint8Array, quorum: number): Signed<T>[] {
  if (bytes.length !== quorum * (size + SIG_BYTES)) throw malformed(`${what} certificate`, `not ${quorum} of them`);
  const list = elements(bytes, size + SIG_BYTES).map((entry) => decodeSigned(codec, entry));
  const [first] = list;
  for (const [i, { bytes: body }] of list.entries()) {
    const before = list[i - 1]?.bytes;
    // Equal but for the last byte, so that their order is that of the last byte.
    const same = first === undefined || equalBytes(first.bytes.subarray(0, -1), body.subarray(0, -1));
    if (!same) throw malformed(`${what} certificate`, "bodies that differ in more than the signer");
    if (before !== undefined && compareBytes(before, body) >= 0)
      throw malformed(`${what} certificate`, "not ascending");
  }
  return list;
}

/** Reads a certificate of Q votes; signatures are not verified. @throws VeilgridError `malformed` */
export function decodeVotes(bytes: Uint8Array, quorum: number): Signed<Vote>[] {
  return decode(VOTES, bytes, quorum);
}

/** Reads Q timeouts; signatures are not verified. @throws VeilgridError `malformed` */
export function decodeTimeouts(bytes: Uint8Array, quorum: number): Signed<Timeout>[] {
  return decode(TIMEOUTS, bytes, quorum);
}

/** Reads a leader's certificate of Q votes; signatures are not verified. @throws VeilgridError `malformed` */
export function decodeElections(bytes: Uint8Array, quorum: number): Signed<Election>[] {
  return decode(ELECTIONS, bytes, quorum);
}

/** The two faults of a certificate that deserve a name of their own. */
function checkVoters({ what, size }: Sort<unknown>, bytes: Uint8Array, quorum: number): void {
  const each = size + SIG_BYTES;
  if (bytes.length % each !== 0) throw malformed(`${what} certificate`, "a part of an entry");
  const voters = elements(bytes, each).map((entry) => entry[size - 1] as number);
  const facts = { what, voters: voters.length, quorum };
  if (new Set(voters).size < voters.length) throw refuse("duplicate-voter", `a DA stands twice in the ${what}s`, facts);
  if (voters.length < quorum) throw refuse("too-few-votes", `${voters.length} ${what}s, not ${quorum}`, facts);
}

/** Q signatures of distinct DAs of the params version that they name. */
function verify<T extends { readonly params: number }>(
  sort: Sort<T>,
  consortium: Uint8Array,
  params: Params,
  bytes: Uint8Array,
  memory?: VerifiedSignatures,
): T {
  const quorum = quorumOf(params.da.length);
  checkVoters(sort, bytes, quorum);
  const list = decode(sort, bytes, quorum);
  const { body: common } = list[0] as Signed<T>;
  const facts = { what: sort.what, named: common.params, version: params.version };
  if (common.params !== params.version) throw refuse("wrong-params", "they name another params version", facts);
  for (const signed of list) {
    const da = signerOf(signed.bytes);
    const key = memberKey(params, da);
    const good = verifySigned(sort.what, consortium, signed, key, memory);
    if (!good) throw refuse("bad-signature", `a ${sort.what} is not signed by its DA`, { what: sort.what, da });
  }
  return common;
}

function memberKey(params: Params, da: number): Uint8Array {
  const member: Member | undefined = params.da[da];
  if (member === undefined) throw refuse("not-a-member", "no such DA in this params version", { da });
  return member.key;
}

function isAbout(vote: VoteSubject, subject: VoteSubject): boolean {
  const { params, region, number, term, round } = vote;
  if (params !== subject.params || region !== subject.region || round !== subject.round) return false;
  return number === subject.number && term === subject.term && equalBytes(vote.cbh, subject.cbh);
}

/**
 * Checks that `certificate` is Q valid votes of distinct DAs of `params` for exactly this block.
 * @param subject what the block's header says, with its CBH.
 * @throws VeilgridError `malformed`, `too-few-votes`, `duplicate-voter`, `wrong-params`, `other-block`, `not-a-member`,
 * `bad-signature`.
 */
export function verifyVotes(
  consortium: Uint8Array,
  params: Params,
  certificate: Uint8Array,
  subject: VoteSubject,
  memory?: VerifiedSignatures,
): void {
  const vote = verify(VOTES, consortium, params, certificate, memory);
  if (!isAbout(vote, subject)) {
    const facts = { number: vote.number.toString(), term: vote.term.toString(), round: vote.round };
    throw refuse("other-block", "the votes are for another block, term or round", facts);
  }
}

/**
 * Checks that `certificate` is Q valid votes of distinct DAs of `params` for one candidate, and says for whom.
 * @throws VeilgridError as `verifyVotes`; `not-a-member` also for the candidate.
 */
export function verifyElection(
  consortium: Uint8Array,
  params: Params,
  certificate: Uint8Array,
  memory?: VerifiedSignatures,
): Omit<Election, "voter"> {
  const { params: version, term, candidate } = verify(ELECTIONS, consortium, params, certificate, memory);
  memberKey(params, candidate);
  return { params: version, term, candidate };
}

/**
 * Checks that `certificate` is Q valid timeouts of distinct DAs of `params` in one term, and says which.
 * @throws VeilgridError as `verifyVotes`.
 */
export function verifyTimeouts(
  consortium: Uint8Array,
  params: Params,
  certificate: Uint8Array,
  memory?: VerifiedSignatures,
): Omit<Timeout, "da"> {
  const { params: version, term } = verify(TIMEOUTS, consortium, params, certificate, memory);
  return { params: version, term };
}
