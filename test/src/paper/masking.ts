/** The two masked halves of one consumption, as whoever collects them sees them. */
export interface Observed {
  readonly rc: bigint;
  readonly rc2: bigint;
}

/** What a meter draws for one reading: the first slice c' and a mask for each half. */
export interface Drawn {
  readonly slice: bigint;
  readonly mask: bigint;
  readonly mask2: bigint;
}

/** The paper's halves (section 5, Data aggregation): rc' = c' + H3(z) and rc'' = c - c' + H3(z'), whole numbers. */
export function paperHalves(c: bigint, { slice, mask, mask2 }: Drawn): Observed {
  return { rc: slice + mask, rc2: c - slice + mask2 };
}

/** Ours, in a ring of any size. */
export function ringHalves(c: bigint, drawn: Drawn, size: bigint): Observed {
  const { rc, rc2 } = paperHalves(c, drawn);
  const reduced = (value: bigint): bigint => ((value % size) + size) % size;
  return { rc: reduced(rc), rc2: reduced(rc2) };
}

/**
 * How many ways there are for the paper's second half to be what it is, if the consumption is c: slices and masks are
 * equally likely in [-bound, bound], and mask2 - slice = rc2 - c.
 */
export function explanations(rc2: bigint, c: bigint, bound: bigint): bigint {
  const distance = rc2 < c ? c - rc2 : rc2 - c;
  const ways = 2n * bound + 1n - distance;
  return ways > 0n ? ways : 0n;
}

/**
 * The advantage with which the paper's second half tells an even consumption from none, where all is drawn from
 * [-bound, bound]: the statistical distance of two triangles, c/n - c²/4n² with n = 2 bound + 1.
 */
export function paperAdvantage(c: number, bound: number): number {
  const shift = c / (2 * bound + 1);
  return shift - (shift * shift) / 4;
}

/** How often each value occurs. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** The advantage of the best test that tells two samples apart: their statistical distance, 0 to 1. */
export function advantage<T>(one: readonly T[], other: readonly T[]): number {
  const [a, b] = [tally(one), tally(other)];
  let distance = 0;
  for (const value of new Set([...one, ...other])) {
    distance += Math.abs((a.get(value) ?? 0) / one.length - (b.get(value) ?? 0) / other.length);
  }
  return distance / 2;
}

/** All draws with slice and masks from `first` to `last`. */
export function* allDraws(first: bigint, last: bigint): Generator<Drawn> {
  for (let slice = first; slice <= last; slice += 1n) {
    for (let mask = first; mask <= last; mask += 1n) {
      for (let mask2 = first; mask2 <= last; mask2 += 1n) yield { slice, mask, mask2 };
    }
  }
}

/** A ring element as a whole number in [-bound, bound]. */
export function intoRange(element: bigint, bound: bigint): bigint {
  return (element % (2n * bound + 1n)) - bound;
}

/** How far numbers in [0, cells) are from falling into all cells alike. */
export function chiSquare(numbers: readonly number[], cells: number): number {
  const counts = tally(numbers);
  const due = numbers.length / cells;
  return Array.from({ length: cells }, (_, cell) => ((counts.get(cell) ?? 0) - due) ** 2 / due).reduce((a, b) => a + b);
}
