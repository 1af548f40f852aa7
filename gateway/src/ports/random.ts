/**
 * Randomness as a function of what it is for: the same labels give the same value, so a run that was killed and
 * started again draws what it would have drawn. With a seed the whole is repeatable; without one the seed is random.
 */
export interface Random {
  bytes(count: number, ...labels: readonly (string | number)[]): Uint8Array;
  /** A uniform integer in [0, limit). */
  below(limit: number, ...labels: readonly (string | number)[]): number;
}
