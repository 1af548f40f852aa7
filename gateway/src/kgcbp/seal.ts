import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { VeilgridError, concat } from "@veilgrid/protocol";

const ALGORITHM = "aes-256-gcm";
const VERSION = 1;
/** NIST SP 800-38D: 96 bits, drawn anew for each value. A month has far fewer than the 2^32 that random ones allow. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a value under a wrapping key with AES-256-GCM: version ‖ nonce ‖ ciphertext ‖ tag.
 * @param key 32 bytes; @param context what the value is of: it opens with the same alone.
 */
export function seal(key: Uint8Array, context: Uint8Array, value: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(context);
  const ciphertext = concat(cipher.update(value), cipher.final());
  return concat(Uint8Array.of(VERSION), nonce, ciphertext, cipher.getAuthTag());
}

/** @throws VeilgridError `sealed-otherwise` for what was changed, or sealed under another key or for something else. */
export function unseal(key: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    const [from, to] = [1 + NONCE_BYTES, sealed.length - TAG_BYTES];
    if (sealed[0] !== VERSION || to < from) throw new Error("not a sealed value");
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, from), { authTagLength: TAG_BYTES });
    decipher.setAAD(context).setAuthTag(sealed.subarray(to));
    return concat(decipher.update(sealed.subarray(from, to)), decipher.final());
  } catch (cause) {
    throw new VeilgridError("sealed-otherwise", "a kept secret was changed, or sealed under another wrapping key", {
      blame: "operator",
      cause,
    });
  }
}
