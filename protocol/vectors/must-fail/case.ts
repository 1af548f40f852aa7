/** Bytes that the decoder `what` refuses, and the reason why it must. */
export type MustFail = readonly [what: string, why: string, bytes: Uint8Array];

/** One less and one more than the whole: every decoder refuses both. */
export function cutAndGrown(what: string, whole: Uint8Array): MustFail[] {
  return [
    [what, "nothing at all", new Uint8Array()],
    [what, "the last byte missing", whole.subarray(0, -1)],
    [what, "a trailing byte", Uint8Array.of(...whole, 0)],
  ];
}

/** A period's fields as they are written. */
export interface RawPeriod {
  readonly month: number;
  readonly k: number;
}

/** Periods that no struct can name. */
export function wrongPeriods(what: string, make: (period: RawPeriod) => Uint8Array): MustFail[] {
  const wrong: [string, RawPeriod][] = [
    ["a month before January 1970", { month: 12 * 1970 - 1, k: 0 }],
    ["a month after December 9999", { month: 12 * 10_000, k: 0 }],
    ["k = 2976 in March 2026, whose last quarter is 2975", { month: 12 * 2026 + 2, k: 2976 }],
    ["k = 2688 in February 2026, whose last quarter is 2687", { month: 12 * 2026 + 1, k: 2688 }],
  ];
  return wrong.map(([why, period]) => [what, why, make(period)]);
}
