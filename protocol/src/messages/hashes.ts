import { Writer } from "../bytes.js";
import { H1, sha256 } from "../hash.js";
import { writePeriod, type Period } from "./period.js";

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

/**
 * "H1("veilgrid/1/case-key", KGCBP's key ‖ uint32 month)": KGCBP's key to the cases of a month, 32 bytes. A bill shows it
 * with the ids of the cases that it charges for; nothing follows from it without an id.
 */
export function caseKey(secret: Uint8Array, month: number): Uint8Array {
  return H1("veilgrid/1/case-key", secret, new Writer().u32(month).bytes());
}

/** "the first 16 bytes of H1("veilgrid/1/case-id", KGCBP's key ‖ Region ‖ Period)": who does not have the key draws no ref. */
export function caseId(secret: Uint8Array, region: number, period: Period): Uint8Array {
  return H1("veilgrid/1/case-id", secret, writePeriod(new Writer().u16(region), period).bytes()).slice(0, 16);
}

/** "ref = H1("veilgrid/1/case", case key ‖ case id)", of a 32-byte key and a 16-byte id; 32 bytes. */
export function caseRef(caseKey: Uint8Array, caseId: Uint8Array): Uint8Array {
  return H1("veilgrid/1/case", caseKey, caseId);
}
