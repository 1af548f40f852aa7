import type { Codec } from "../../codec.js";
import type { VerifiedSignatures } from "../../memory.js";
import type { Block } from "../../messages/block.js";
import { decodeLeaf } from "../../messages/leaf.js";
import type { Params } from "../../messages/params.js";
import { verifyBody, type SigKind } from "../../sig.js";
import type { ChainRecord } from "../records.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { LedgerView } from "../view.js";

/**
 * What a kind's rule sees. The block is decoded: its leaves have their own encodings, their number and their strict
 * order (PROTOCOL section 7) already.
 */
export interface RuleInput {
  readonly view: LedgerView;
  readonly block: Block;
  readonly cbh: Uint8Array;
  /** The version that the header names. */
  readonly params: Params;
  readonly current: Params;
  readonly head: ChainRecord;
  readonly consortium: Uint8Array;
  readonly memory: VerifiedSignatures | undefined;
}

/** What a kind's rule adds to the state. */
export interface RuleResult {
  readonly writes: readonly StateWrite[];
  /** Changes of the chain's own record beyond number, hash and time. */
  readonly chain?: Partial<ChainRecord>;
}

/** Checks a block of one kind and says what it writes. @throws VeilgridError with a RefusalCode. */
export type Rule = (input: RuleInput) => Promise<RuleResult>;

/**
 * The bodies of a block's leaves, each with its issuer's signature verified.
 * @param issuer x-only key: the current version's on chain 0, the epoch's own for an epoch.
 * @throws VeilgridError `malformed`, `bad-signature`.
 */
export function issuedBodies<T>(
  { block, consortium, memory }: RuleInput,
  kind: SigKind,
  codec: Codec<T>,
  issuer: Uint8Array,
): T[] {
  return block.leaves.map((leaf, index) => {
    const { body, sig } = decodeLeaf(leaf);
    const value = codec.decode(body);
    const signed = verifyBody(kind, consortium, body, sig, issuer, memory);
    require(signed, "bad-signature", "a leaf is not signed by its issuer", { kind, index });
    return value;
  });
}
