import { chacha20 } from "@noble/ciphers/chacha.js";

const NONCE = new Uint8Array(12);
const ZEROS = new Uint8Array(64);

/**
 * The PRG G' of PROTOCOL section 2: the first 64 bytes of the ChaCha20 (RFC 8439) key stream under `key` (32 bytes),
 * nonce 0, counter 0, as its left and right half.
 */
export function expand(key: Uint8Array): readonly [left: Uint8Array, right: Uint8Array] {
  const stream = chacha20(key, NONCE, ZEROS);
  return [stream.subarray(0, 32), stream.subarray(32)];
}
