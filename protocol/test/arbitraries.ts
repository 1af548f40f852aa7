import fc from "fast-check";

/** Byte strings of one length. */
export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

/** Keys, seeds, hashes. */
export const bytes32 = bytesOf(32);

/** Elements of the ring Z_2^64. */
export const element = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** Signed 64-bit numbers: what consumptions and sums are read back as. */
export const signed64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
