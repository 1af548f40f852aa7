import { H1, sha256 } from "../hash.js";

/** SHA-256 of the version 1 Params without any signature: the consortium id, for ever; 32 bytes. */
export function consortiumId(paramsV1Bytes: Uint8Array): Uint8Array {
  return sha256(paramsV1Bytes);
}

/** "CBH = H1("veilgrid/1/block", Header)", of the encoded header; 32 bytes. */
export function blockHash(headerBytes: Uint8Array): Uint8Array {
  return H1("veilgrid/1/block", headerBytes);
}

/**
 * "readingHash = H1("veilgrid/1/reading", Reading ‖ sig)": 32 bytes. Takes a reading's bytes and its signature, or both
 * in one array; for malformed ones the bytes received.
 */
export function readingHash(readingBytes: Uint8Array, sig: Uint8Array = new Uint8Array()): Uint8Array {
  return H1("veilgrid/1/reading", readingBytes, sig);
}

/** "hash = H1("veilgrid/1/bill", ciphertext)": 32 bytes. */
export function billHash(ciphertext: Uint8Array): Uint8Array {
  return H1("veilgrid/1/bill", ciphertext);
}

/** "ref = H1("veilgrid/1/case", case key ‖ case id)", of a 32-byte key and a 16-byte id; 32 bytes. */
export function caseRef(caseKey: Uint8Array, caseId: Uint8Array): Uint8Array {
  return H1("veilgrid/1/case", caseKey, caseId);
}
