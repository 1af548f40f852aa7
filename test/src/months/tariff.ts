/** The tariff of the months: everything that a bill may have, so that a delta has to recompute it all. */
export const TARIFF = {
  minorDigits: 2,
  tiers: [[2_000, 50_000], [300_000, 80_000], [null, 30_000]], // prettier-ignore
  fixed: [200_000_000, 1],
  adjustment: { thresholdWh: 9_000, below: -70_000_001, above: 50_000_003 },
  faultPenalty: "30000007",
  taxes: [81_000, 5],
} as const;

/** What a period without a reading counts as. */
export type MissingRule = "last-day" | "profile";

/** The weight of a half-hour in the profile. */
export function weight(k: number): bigint {
  return BigInt(10 + ((k % 48) % 7));
}

const PER_DAY = 48;

/** How a bill's reader is told where a consumption is from; the report's own codes. */
export const QUALITY = { measured: 0, missing: 1, estimated: 2 } as const;

/** A month as a bill counts it; readings from the supply's first period, `from`, on. */
export interface MonthInput {
  readonly from: number;
  readonly readings: readonly (bigint | undefined)[];
  readonly prices: readonly bigint[];
  readonly penalties: number;
  readonly rule: MissingRule;
}

export interface MonthFigures {
  readonly consumption: readonly bigint[];
  readonly quality: readonly number[];
  /** Lines in nano-units before deltas, in their order. */
  readonly lines: readonly bigint[];
}

/** Half away from zero. */
export function nearest(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = (magnitude * 2n + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

interface Guess {
  readonly wh: bigint;
  readonly quality: number;
}

const NOTHING: Guess = { wh: 0n, quality: QUALITY.missing };

function byProfile({ from, readings }: MonthInput): (guesses: readonly Guess[], i: number) => Guess {
  const known = readings.flatMap((wh, i) => (wh === undefined ? [] : [{ wh, weight: weight(from + i) }]));
  const all = known.reduce((sum, { wh }) => sum + wh, 0n);
  const weights = known.reduce((sum, one) => sum + one.weight, 0n);
  if (weights === 0n) return () => NOTHING;
  return (_, i) => ({ wh: nearest(weight(from + i) * all, weights), quality: QUALITY.estimated });
}

function byLastDay(guesses: readonly Guess[], i: number): Guess {
  const before = guesses.filter(({ quality }, j) => j % PER_DAY === i % PER_DAY && quality !== QUALITY.missing);
  const last = before.at(-1);
  return last === undefined ? NOTHING : { wh: last.wh, quality: QUALITY.estimated };
}

function counted(input: MonthInput): Guess[] {
  const estimate = input.rule === "profile" ? byProfile(input) : byLastDay;
  const guesses: Guess[] = [];
  for (const [i, wh] of input.readings.entries()) {
    guesses.push(wh === undefined ? estimate(guesses, i) : { wh, quality: QUALITY.measured });
  }
  return guesses;
}

/** What a month's consumption costs by the steps of the tariff. */
function steps(wh: bigint): bigint {
  let [below, cost] = [0n, 0n];
  for (const [upTo, price] of TARIFF.tiers) {
    const end = upTo === null || wh < BigInt(upTo) ? wh : BigInt(upTo);
    if (end > below) cost += (end - below) * BigInt(price);
    below = end > below ? end : below;
  }
  return cost;
}

/** A month's bill without deltas, by arithmetic of its own: none of the product's. */
export function billed(input: MonthInput): MonthFigures {
  const guesses = counted(input);
  const energy = guesses.reduce((sum, { wh }) => sum + wh, 0n);
  const { thresholdWh, below, above } = TARIFF.adjustment;
  const cost = guesses.reduce((sum, { wh }, i) => sum + wh * (input.prices[i] as bigint), 0n);
  const isBelow = energy < BigInt(thresholdWh);
  const adjustment = energy === BigInt(thresholdWh) ? 0n : BigInt(isBelow ? below : above);
  const penalty = BigInt(TARIFF.faultPenalty) * BigInt(input.penalties);
  const untaxed = [cost, steps(energy), ...TARIFF.fixed.map(BigInt), adjustment, penalty];
  const taxable = untaxed.reduce((sum, nano) => sum + nano, 0n);
  const taxes = TARIFF.taxes.map((rate) => nearest(taxable * BigInt(rate), 1_000_000n));
  return {
    consumption: guesses.map(({ wh }) => wh),
    quality: guesses.map(({ quality }) => quality),
    lines: [...untaxed, ...taxes],
  };
}

/** Sum of lines, nano-units. */
export function total(lines: readonly bigint[]): bigint {
  return lines.reduce((sum, nano) => sum + nano, 0n);
}

/** What the run is asked for. */
export function tariffJson(rule: MissingRule): object {
  if (rule === "last-day") return { ...TARIFF, missingRule: rule };
  return { ...TARIFF, missingRule: rule, profile: Array.from({ length: PER_DAY }, (_, k) => Number(weight(k))) };
}
