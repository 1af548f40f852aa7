import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** HKDF (RFC 5869) with SHA-256 and L = 32 (PROTOCOL section 2): 32 bytes for each of the infos, one extraction. */
export function hkdf(key: Uint8Array, salt: Uint8Array, infos: readonly Uint8Array[]): Uint8Array[] {
  const pseudoRandomKey = extract(sha256, key, salt);
  return infos.map((info) => expand(sha256, pseudoRandomKey, info, 32));
}
