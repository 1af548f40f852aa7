import { VeilgridError } from "./errors.js";

/*
 * Exact money (PROTOCOL section 2, Arithmetic). Amounts are whole nano-units (10^-9) of the currency; a bill is rounded
 * once, to the tariff's minor unit. Everything is BigInt: no rounding happens but the ones named here.
 */

/** Nano-units in one unit of the currency. */
export const NANO = 1_000_000_000n;
/** A rate (tax) is in millionths. */
export const MILLION = 1_000_000n;

/** Lines of a bill as shown, in minor units; they add up to `total`. */
export interface Shown {
  readonly shown: readonly bigint[];
  readonly total: bigint;
}

/** Floor towards minus infinity of numerator / denominator; `denominator` > 0. */
export function floorDiv(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator < 0n ? quotient - 1n : quotient;
}

/** The integer nearest to numerator / denominator, a half away from zero; `denominator` > 0. */
export function roundHalfAway(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

/** Nano-units in the minor unit of `minorDigits` d: 10^(9-d). @throws VeilgridError `out-of-range` unless d is 0 to 9. */
export function minorUnit(minorDigits: number): bigint {
  if (Number.isInteger(minorDigits) && minorDigits >= 0 && minorDigits <= 9) return 10n ** BigInt(9 - minorDigits);
  throw new VeilgridError("out-of-range", `a minor unit has 0 to 9 digits, not ${minorDigits}`, {
    facts: { minorDigits },
    blame: "caller",
  });
}

/**
 * Rounds a bill once: the total half away from zero to a minor unit of `unit` nano-units.
 * "Lines shown are floored (towards minus infinity), and the remainder goes to the largest fractional parts, earlier
 * first, so that they add up to the total."
 */
export function showLines(nanos: readonly bigint[], unit: bigint): Shown {
  const floors = nanos.map((nano) => floorDiv(nano, unit));
  const fraction = (i: number): bigint => (nanos[i] as bigint) - (floors[i] as bigint) * unit;
  const sum = nanos.reduce((all, nano) => all + nano, 0n);
  const total = roundHalfAway(sum, unit);
  const remainder = Number(total - floors.reduce((all, floor) => all + floor, 0n));
  // The sort is stable, so that of equal parts the earlier goes first.
  const byFraction = nanos.map((_, i) => i).sort((a, b) => Number(fraction(b) - fraction(a)));
  const shown = [...floors];
  for (const i of byFraction.slice(0, remainder)) shown[i] = (shown[i] as bigint) + 1n;
  return { shown, total };
}

/** A decimal text of `amount` in units of 10^-digits: -5 with 2 digits is "-0.05". */
export function formatAmount(amount: bigint, digits: number): string {
  const magnitude = (amount < 0n ? -amount : amount).toString().padStart(digits + 1, "0");
  const sign = amount < 0n ? "-" : "";
  if (digits === 0) return sign + magnitude;
  return `${sign}${magnitude.slice(0, -digits)}.${magnitude.slice(-digits)}`;
}
