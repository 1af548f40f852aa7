import { H2 } from "./hash.js";
import { schnorr } from "./schnorr/choice.js";

/** The one-time secret key of a half-reading: H2(t), 32 bytes (PROTOCOL section 4, Filter generation). */
export function readingSecret(t: Uint8Array): Uint8Array {
  return H2(t);
}

/** `PRID = x(g^H2(t))`: the x-only public key that a half-reading is signed under, 32 bytes. */
export function pridOf(t: Uint8Array): Uint8Array {
  return schnorr.publicKey(readingSecret(t));
}
