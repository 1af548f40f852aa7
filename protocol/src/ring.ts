/** Size of the ring Z_2^64 that masked values live in (PROTOCOL section 2, Arithmetic). */
export const RING = 1n << 64n;

/** a + b in Z_2^64. */
export function add(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a + b);
}

/** a - b in Z_2^64. */
export function sub(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a - b);
}

/** Sum in Z_2^64; zero of nothing. */
export function sum(values: Iterable<bigint>): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return BigInt.asUintN(64, total);
}

/** Reads an element of the ring as the signed 64-bit number that it stands for (Wh). */
export function toSigned(element: bigint): bigint {
  return BigInt.asIntN(64, element);
}

/** The ring element of a signed number: c mod 2^64. */
export function fromSigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
