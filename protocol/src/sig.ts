import { H1 } from "./hash.js";
import type { VerifiedSignatures } from "./memory.js";
import { schnorr } from "./schnorr/choice.js";

/** What a signature is for: a struct's name in lower case, or the exceptions `header` and `possession`. */
export type SigKind =
  | "epoch"
  | "reading"
  | "ack"
  | "answer"
  | "header"
  | "possession"
  | "proposal"
  | "incomplete"
  | "vote"
  | "timeout"
  | "election"
  | "mask"
  | "price"
  | "bills"
  | "verdict"
  | "close"
  | "delivery";

/**
 * The 32 bytes that are signed: `H1("veilgrid/1/sig/" + kind, consortium[32] ‖ body)` (PROTOCOL section 7). `body` is
 * the whole struct; for `header` the 32-byte CBH, for `possession` SHA-256(Params).
 */
export function sigMessage(kind: SigKind, consortium: Uint8Array, body: Uint8Array): Uint8Array {
  return H1(`veilgrid/1/sig/${kind}`, consortium, body);
}

/** `sig(kind, body)`: 64 bytes. @throws VeilgridError `bad-secret` unless 0 < secret < q. */
export function signBody(kind: SigKind, consortium: Uint8Array, body: Uint8Array, secret: Uint8Array): Uint8Array {
  return schnorr.sign(sigMessage(kind, consortium, body), secret);
}

/** Whether `sig` is the signature of `body` under the x-only `key`; false for anything malformed. */
export function verifyBody(
  kind: SigKind,
  consortium: Uint8Array,
  body: Uint8Array,
  sig: Uint8Array,
  key: Uint8Array,
  memory?: VerifiedSignatures,
): boolean {
  const message = sigMessage(kind, consortium, body);
  return memory === undefined ? schnorr.verify(sig, message, key) : memory.verify(message, key, sig);
}
