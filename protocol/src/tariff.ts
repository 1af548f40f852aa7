import { VeilgridError } from "./errors.js";
import { type Check, type Place, decimal, integer, listOf, objectOf, oneOf, orNull, pairOf, text } from "./shape.js";

/** One step of a block tariff: up to `upTo` Wh since the month's first period each kWh costs `price` micro-units. */
export interface Tier {
  /** Wh, exclusive end of the step; undefined for the last one, which has no end. */
  readonly upTo: bigint | undefined;
  /** Micro-units of the currency per kWh. */
  readonly price: bigint;
}

/** The incentive or penalty of a bill [4.1]: an amount (signed nano-units) on either side of a month's threshold. */
export interface Adjustment {
  readonly thresholdWh: bigint;
  /** Added where the bill's consumption is below the threshold; an incentive is negative. */
  readonly below: bigint;
  /** Added where it is above; a penalty is positive. */
  readonly above: bigint;
}

/**
 * What a period without a complete reading counts as: `zero` is 0 Wh, shown as missing; `last-day` is the value of the
 * same time on the bill's nearest earlier day that has one, shown as estimated (missing where there is none); `profile`
 * is the tariff's daily profile, scaled to what the bill measured, shown as estimated (missing where that tells nothing).
 */
export type MissingRule = "zero" | "last-day" | "profile";

/** What a bill adds to the energy at the ledger's prices. Amounts are nano-units, rates millionths. */
export interface Tariff {
  /** The currency's code, such as "CHF"; for display only. */
  readonly currency?: string;
  /** Digits of the minor unit that the bill is rounded to, 0 to 9. */
  readonly minorDigits: number;
  /** Ascending; the last has no end. */
  readonly tiers?: readonly Tier[];
  readonly fixed: readonly bigint[];
  readonly taxes: readonly bigint[];
  readonly adjustment?: Adjustment;
  /** What each fault costs that a verdict blames on the customer's meter. */
  readonly faultPenalty?: bigint;
  readonly missingRule: MissingRule;
  /** With the rule `profile`: the weight of each period of a UTC day, from its first on. */
  readonly profile?: readonly bigint[];
}

/** A tariff as the report has it: every amount a decimal string, tiers as pairs [upTo or null, price]. */
export interface TariffJson {
  readonly currency?: string;
  readonly minorDigits: number;
  readonly tiers?: readonly (readonly [number | null, string])[];
  readonly fixed: readonly string[];
  readonly taxes: readonly number[];
  readonly adjustment?: { readonly thresholdWh: number; readonly below: string; readonly above: string };
  readonly faultPenalty?: string;
  readonly missingRule: MissingRule;
  readonly profile?: readonly number[];
}

/** An amount as a number or, where it can pass 2^53, as a decimal string. */
const amount: Check<bigint> = (value, place) =>
  BigInt(typeof value === "number" ? integer(Number.MIN_SAFE_INTEGER)(value, place) : decimal(value, place));

/** How many periods a day has: half-hours or quarters. */
const DAYS: readonly number[] = [48, 96];

const wattHours: Check<bigint> = (value, place) => BigInt(integer(0)(value, place));
const rate: Check<bigint> = wattHours;

const tiers: Check<readonly Tier[]> = (value, place) => {
  const pairs = listOf(pairOf(orNull(integer(1)), amount), 1)(value, place);
  pairs.forEach(([upTo], i) => {
    const before = pairs[i - 1]?.[0] ?? 0;
    if ((upTo === null) !== (i === pairs.length - 1)) throw place.refuse(place.path, "not just the last tier is open");
    if (upTo !== null && upTo <= before) throw place.refuse(place.path, "tiers do not ascend");
  });
  return pairs.map(([upTo, price]) => ({ upTo: upTo === null ? undefined : BigInt(upTo), price }));
};

/** Weights are only compared with each other: six digits are more than any standard load profile has. */
const MAX_WEIGHT = 1_000_000;

const profile: Check<readonly bigint[]> = (value, place) => {
  const weights = listOf(integer(0, MAX_WEIGHT))(value, place);
  if (DAYS.includes(weights.length)) return weights.map(BigInt);
  throw place.refuse(place.path, "not one weight for each period of a day: 48 or 96");
};

const fields = objectOf(
  { minorDigits: integer(0, 9) },
  {
    currency: text(/^[A-Za-z0-9]{1,8}$/, "a currency code of 1 to 8 letters or digits"),
    tiers,
    fixed: listOf(amount),
    taxes: listOf(rate),
    adjustment: objectOf({ thresholdWh: wattHours, below: amount, above: amount }),
    faultPenalty: amount,
    missingRule: oneOf("zero", "last-day", "profile"),
    profile,
  },
);

/** The tariff check as a part of a larger one. */
export function tariffAt(value: unknown, place: Place): Tariff {
  const tariff: Tariff = { fixed: [], taxes: [], missingRule: "zero", ...fields(value, place) };
  if ((tariff.missingRule === "profile") === (tariff.profile !== undefined)) return tariff;
  throw place.refuse(place.path === "" ? "profile" : `${place.path}/profile`, "not just with the missing rule profile");
}

/**
 * Reads a tariff: amounts as safe integers or decimal strings, tiers as pairs [upTo or null, price]. Without `fixed`,
 * `taxes` and `missingRule` there is no charge, no tax, and a missing period counts 0 Wh.
 * @throws VeilgridError `bad-tariff` naming the field and what is wrong with it.
 */
export function parseTariff(json: unknown): Tariff {
  const refuse = (path: string, why: string): VeilgridError =>
    new VeilgridError("bad-tariff", `bad tariff: ${path === "" ? "" : `${path}: `}${why}`, {
      facts: { path, why },
      blame: "caller",
    });
  return tariffAt(json, { path: "", refuse });
}

/** The one JSON form of a tariff: what the report carries. */
export function tariffJson(tariff: Tariff): TariffJson {
  const { currency, tiers: steps, adjustment, faultPenalty, profile: weights } = tariff;
  return {
    minorDigits: tariff.minorDigits,
    fixed: tariff.fixed.map(String),
    taxes: tariff.taxes.map(Number),
    missingRule: tariff.missingRule,
    ...(currency !== undefined && { currency }),
    ...(steps && { tiers: steps.map(({ upTo, price }) => [upTo === undefined ? null : Number(upTo), String(price)]) }),
    ...(adjustment && {
      adjustment: {
        thresholdWh: Number(adjustment.thresholdWh),
        below: String(adjustment.below),
        above: String(adjustment.above),
      },
    }),
    ...(faultPenalty !== undefined && { faultPenalty: String(faultPenalty) }),
    ...(weights && { profile: weights.map(Number) }),
  };
}

/** No fixed charge, no tiers, no tax, a minor unit of 1/100; a missing period counts 0 Wh. */
export const DEFAULT_TARIFF: Tariff = parseTariff({ minorDigits: 2 });

/**
 * The block tariff's function F (PROTOCOL section 4, Dynamic billing): what `wh` cumulative Wh cost, in nano-units.
 * F(0) = 0; below zero the first tier goes on, so that export walks back the way that consumption came.
 */
export function tierCost(tiers: readonly Tier[], wh: bigint): bigint {
  let cost = 0n;
  let from = 0n;
  for (const { upTo, price } of tiers) {
    const to = upTo === undefined || wh < upTo ? wh : upTo;
    cost += (to - from) * price;
    if (to === wh) break;
    from = to;
  }
  return cost;
}
