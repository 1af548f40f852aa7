import { schnorr } from "@veilgrid/protocol";
import type { SignatureCheck } from "../ports/verifier.js";

const MESSAGE_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const CHECK_BYTES = MESSAGE_BYTES + KEY_BYTES + SIGNATURE_BYTES;

/** Whether a check has the lengths that it can be packed with. */
export function isWhole({ message, key, signature }: SignatureCheck): boolean {
  return message.length === MESSAGE_BYTES && key.length === KEY_BYTES && signature.length === SIGNATURE_BYTES;
}

/** Checks as one array, which a thread is given whole: 128 bytes each. */
export function packed(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(checks.length * CHECK_BYTES);
  checks.forEach(({ message, key, signature }, i) => {
    bytes.set(message, i * CHECK_BYTES);
    bytes.set(key, i * CHECK_BYTES + MESSAGE_BYTES);
    bytes.set(signature, i * CHECK_BYTES + MESSAGE_BYTES + KEY_BYTES);
  });
  return bytes;
}

/** The verdicts on packed checks by this thread's engine, one byte each: 1 for good, 0 for bad. */
export function verdictsOn(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const verdicts = new Uint8Array(bytes.length / CHECK_BYTES);
  for (let i = 0; i < verdicts.length; i += 1) {
    const at = i * CHECK_BYTES;
    const message = bytes.subarray(at, at + MESSAGE_BYTES);
    const key = bytes.subarray(at + MESSAGE_BYTES, at + MESSAGE_BYTES + KEY_BYTES);
    const signature = bytes.subarray(at + MESSAGE_BYTES + KEY_BYTES, at + CHECK_BYTES);
    verdicts[i] = schnorr.verify(signature, message, key) ? 1 : 0;
  }
  return verdicts;
}
