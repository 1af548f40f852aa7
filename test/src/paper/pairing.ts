/** Something that an aggregator sees of a half, in milliseconds, and whose half it was: the latter only judges the guess. */
export interface Sighting {
  readonly seen: number;
  readonly meter: number;
}

/**
 * The part of the meters whose two halves are put together by taking neighbours in the order of what was seen: the best
 * pairing there is where both halves of a meter show nearly the same number.
 */
export function pairedRight(sightings: readonly Sighting[]): number {
  const ordered = [...sightings].sort((a, b) => a.seen - b.seen);
  const right = ordered.filter((one, i) => i % 2 === 0 && one.meter === ordered[i + 1]?.meter);
  return (2 * right.length) / ordered.length;
}
