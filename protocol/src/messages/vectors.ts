import { compareBytes } from "../bytes.js";

/** The elements of a vector of `size`-byte elements, as views. The caller has checked that the length is a multiple. */
export function elements(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** Whether each element is greater than the one before: neither unsorted nor repeated. */
export function strictlyAscending(list: readonly Uint8Array[]): boolean {
  for (let i = 1; i < list.length; i += 1) {
    if (compareBytes(list[i - 1] as Uint8Array, list[i] as Uint8Array) >= 0) return false;
  }
  return true;
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
