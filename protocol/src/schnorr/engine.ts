import { VeilgridError } from "../errors.js";

/** Names of the implementations that may be present. */
export type EngineName = "noble" | "wasm" | "native";

/**
 * BIP-340 Schnorr signatures on secp256k1, on 32-byte messages with `aux_rand` = 32 zero bytes (PROTOCOL section 2),
 * so that all engines give the same bytes for the same input.
 *
 * They differ on two sets of signatures that nobody can make valid: noble refuses s = 0, the WASM build refuses
 * r in [q, p). Either needs a solution of R = s·G - H(R, P, m)·P for a prescribed s or x(R), at 2^128 trials.
 */
export interface SchnorrEngine {
  readonly name: EngineName;
  /** The 32-byte x-only key of a 32-byte secret. @throws VeilgridError `bad-secret` unless 0 < secret < q. */
  publicKey(secret: Uint8Array): Uint8Array;
  /** The same point compressed, 33 bytes: 02 for an even y or 03, then x. @throws VeilgridError `bad-secret`. */
  publicPoint(secret: Uint8Array): Uint8Array;
  /**
   * A 64-byte signature.
   * @throws VeilgridError `bad-secret` unless 0 < secret < q, `bad-message` unless the message has 32 bytes.
   */
  sign(message: Uint8Array, secret: Uint8Array): Uint8Array;
  /** Whether `signature` (64 bytes) is good; false for anything malformed, a foreign length included. */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** The `aux_rand` of every signature of the protocol. */
export const AUX_RAND = new Uint8Array(32);

/** The error for a secret that is no scalar in [1, q-1]. It never says which. */
export function badSecret(): VeilgridError {
  return new VeilgridError("bad-secret", "a secret key is 32 bytes and a number in [1, q-1]", { blame: "caller" });
}

/** @throws VeilgridError `bad-message` unless the message has 32 bytes. */
export function checkMessage(message: Uint8Array): void {
  if (message.length === 32) return;
  throw new VeilgridError("bad-message", "a signed message is a 32-byte hash", {
    facts: { bytes: message.length },
    blame: "caller",
  });
}

/** Whether signature, message and key have the lengths that every engine demands. */
export function wellSized(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  return signature.length === 64 && message.length === 32 && publicKey.length === 32;
}
