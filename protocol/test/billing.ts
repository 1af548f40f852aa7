import fc from "fast-check";
import type { Tariff, Tier } from "../src/index.js";

/** Tiers with prices of either sign, as tariffs have them. */
export const anyTiers: fc.Arbitrary<readonly Tier[]> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { maxLength: 4 }),
    fc.array(fc.bigInt({ min: -100_000n, max: 900_000n }), { minLength: 5, maxLength: 5 }),
  )
  .map(([ends, prices]) => [
    ...ends.sort((a, b) => a - b).map((upTo, i) => ({ upTo: BigInt(upTo), price: prices[i] as bigint })),
    { upTo: undefined, price: prices[4] as bigint },
  ]);

const amount = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });

/** Tariffs of every form that any period length can have. */
export const anyTariff: fc.Arbitrary<Tariff> = fc.record(
  {
    minorDigits: fc.integer({ min: 0, max: 9 }),
    fixed: fc.array(amount, { maxLength: 3 }),
    taxes: fc.array(fc.bigInt({ min: 0n, max: 400_000n }), { maxLength: 3 }),
    missingRule: fc.constantFrom("zero" as const, "last-day" as const),
    currency: fc.constantFrom("EUR", "CHF", "AUD"),
    tiers: anyTiers,
    adjustment: fc.record({ thresholdWh: fc.bigInt({ min: 0n, max: 10n ** 6n }), below: amount, above: amount }),
    faultPenalty: amount,
  },
  { requiredKeys: ["minorDigits", "fixed", "taxes", "missingRule"] },
);
