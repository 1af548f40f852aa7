/** One meter's period as the paper's parties have it: whole numbers, and masks that only KGCBP and the meter know. */
export interface PaperReading {
  /** rc' and rc''; undefined for a half that never came. */
  readonly halves: readonly [bigint | undefined, bigint | undefined];
  /** H3(z) + H3(z') as KGCBP has them. */
  readonly masks: bigint;
}

/** A meter's reading with the paper's halves. @param masked the masks that the meter uses; KGCBP's, unless its key is stale. */
export function paperReading(
  c: bigint,
  slice: bigint,
  known: readonly [bigint, bigint],
  masked: readonly [bigint, bigint] = known,
): PaperReading {
  return { halves: [slice + masked[0], c - slice + masked[1]], masks: known[0] + known[1] };
}

/**
 * What the paper's CC computes of a region (section 5, Dynamic pricing, and Finding faulty meters g): all the block's
 * readings less Z, or less Z' where KGCBP took out both masks of each meter that did not send.
 */
export function paperRegionSum(readings: readonly PaperReading[], faulty: readonly PaperReading[] = []): bigint {
  const rc = readings.flatMap(({ halves }) => halves).reduce<bigint>((sum, half) => sum + (half ?? 0n), 0n);
  const z = readings.filter((reading) => !faulty.includes(reading)).reduce((sum, { masks }) => sum + masks, 0n);
  return rc - z;
}
