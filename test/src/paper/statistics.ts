/** The mean of some numbers. */
export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

/** The ranks of numbers, from 0; equal ones share theirs. */
function ranks(numbers: readonly number[]): number[] {
  return numbers.map((one) => {
    const below = numbers.filter((other) => other < one).length;
    const equal = numbers.filter((other) => other === one).length;
    return below + (equal - 1) / 2;
  });
}

/** Spearman's rank correlation, -1 to 1; 0 where one side says nothing because all of its numbers are equal. */
export function rankCorrelation(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [ranks(one), ranks(other)];
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((rank, i) => (rank - meanA) * ((b[i] as number) - meanB)));
  const spread = (of: readonly number[], around: number): number => Math.sqrt(mean(of.map((x) => (x - around) ** 2)));
  const product = spread(a, meanA) * spread(b, meanB);
  return product === 0 ? 0 : covariance / product;
}
