import { paramsRule, rule, structCodec, type StructCodec } from "./struct.js";

/** Encoded lengths; each ends with the byte that names its signer. */
export const VOTE_BYTES = 57;
export const TIMEOUT_BYTES = 11;
export const ELECTION_BYTES = 12;

/** A DA's vote for one block: only valid votes exist. */
export interface Vote {
  readonly params: number;
  /** The chain; 0 for the consortium's. */
  readonly region: number;
  readonly number: bigint;
  readonly term: bigint;
  readonly round: number;
  /** 32 bytes. */
  readonly cbh: Uint8Array;
  readonly da: number;
}

/** A DA's word that its progress timer ran out in `term`; 0 is the term without a leader. */
export interface Timeout {
  readonly params: number;
  readonly term: bigint;
  readonly da: number;
}

/** A DA's vote for a leader; a candidate's request is its own. */
export interface Election {
  readonly params: number;
  readonly term: bigint;
  readonly candidate: number;
  readonly voter: number;
}

/** "Terms start at 1; only Timeout may carry 0" */
const termRule = rule<{ readonly term: bigint }>("term 0", (v) => v.term >= 1n);

/** The codec of Vote. */
export const voteCodec: StructCodec<Vote> = structCodec<Vote>({
  what: "vote",
  write: (to, v) => to.u16(v.params).u16(v.region).u64(v.number).u64(v.term).u32(v.round).fixed(v.cbh, 32).u8(v.da),
  read: (from) => ({
    params: from.u16(),
    region: from.u16(),
    number: from.u64(),
    term: from.u64(),
    round: from.u32(),
    cbh: from.fixed(32),
    da: from.u8(),
  }),
  rules: [paramsRule, termRule, rule("number 0", (v) => v.number >= 1n)],
});

/** The codec of Timeout. */
export const timeoutCodec: StructCodec<Timeout> = structCodec<Timeout>({
  what: "timeout",
  write: (to, v) => to.u16(v.params).u64(v.term).u8(v.da),
  read: (from) => ({ params: from.u16(), term: from.u64(), da: from.u8() }),
  rules: [paramsRule],
});

/** The codec of Election. */
export const electionCodec: StructCodec<Election> = structCodec<Election>({
  what: "election",
  write: (to, v) => to.u16(v.params).u64(v.term).u8(v.candidate).u8(v.voter),
  read: (from) => ({ params: from.u16(), term: from.u64(), candidate: from.u8(), voter: from.u8() }),
  rules: [paramsRule, termRule],
});
