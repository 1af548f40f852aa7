import { VeilgridError } from "./errors.js";
import { MILLION, minorUnit, roundHalfAway, showLines } from "./money.js";
import { type Tariff, tierCost } from "./tariff.js";

/**
 * How a period's consumption is known. `measured`: a complete reading; `missing`: none, counted as 0 Wh; `estimated`:
 * none, counted by the tariff's rule; `no-epoch`: no epoch covers the period, counted as 0 Wh, without a price.
 */
export type Quality = "measured" | "missing" | "estimated" | "no-epoch";

/** What a bill is made of; `readings` and `prices` have one entry for each period of the supply, in the order of k. */
export interface BillInput {
  readonly tariff: Tariff;
  readonly periodSeconds: number;
  /** k of the supply's first period; 0 if not given. Profiles go by the time of day. */
  readonly from?: number;
  /** Complete readings in signed Wh; undefined where the period has none. */
  readonly readings: readonly (bigint | undefined)[];
  /** The ledger's prices in micro-units per kWh; undefined where no epoch covers the period. */
  readonly prices: readonly (bigint | undefined)[];
  /** How many faults the meter is blamed for: what the tariff's penalty is charged for. */
  readonly faults?: number;
  /** Earlier months recomputed minus billed, in nano-units, oldest first. */
  readonly deltas?: readonly bigint[];
}

/** A line of the bill; `name` is energy, tiers, fixed/0 .., adjustment, penalty, tax/0 .. or delta/0 ... */
export interface BillLine {
  readonly name: string;
  /** Exact nano-units. */
  readonly nano: bigint;
  /** Minor units; the lines shown add up to the total. */
  readonly shown: bigint;
}

/** A computed bill; the columns have one entry for each period of the supply. */
export interface Bill {
  /** Signed Wh as billed: measured, estimated or 0. */
  readonly consumption: readonly bigint[];
  readonly quality: readonly Quality[];
  /** c_k·p_k in nano-units. */
  readonly costs: readonly bigint[];
  /** F(after) - F(before) in nano-units; undefined for a tariff without tiers. */
  readonly tierCosts: readonly bigint[] | undefined;
  readonly lines: readonly BillLine[];
  /** Minor units. */
  readonly total: bigint;
  /** Sum of the consumption column in Wh. */
  readonly energy: bigint;
}

const DAY_SECONDS = 86_400;
/** What a report can say of a period: the bound of a reading is a uint32. */
const MAX_WH = 0xffff_ffffn;
const MISSING: Counted = { value: 0n, quality: "missing" };

/** What a period counts as. */
interface Counted {
  readonly value: bigint;
  readonly quality: Quality;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((all, value) => all + value, 0n);
}

/** The value of the same time on the nearest earlier day that has one. */
function fromEarlierDay(counted: readonly Counted[], perDay: number): Counted {
  for (let i = counted.length - perDay; i >= 0; i -= perDay) {
    const { value, quality } = counted[i] as Counted;
    if (quality === "measured" || quality === "estimated") return { value, quality: "estimated" };
  }
  return MISSING;
}

/**
 * The tariff's daily profile at period k, scaled to what the bill measured: weight of k times the sum of the measured Wh
 * over the sum of the weights of the measured periods, rounded half away from zero to a Wh. Nothing measured, or nothing
 * that has a weight, tells nothing; nor does a value that no period can have.
 */
function scaledProfile({ tariff, readings, from = 0 }: BillInput): (i: number) => Counted {
  const weights = tariff.profile ?? [];
  const weightOf = (i: number): bigint => weights[(from + i) % weights.length] ?? 0n;
  let [wh, weight] = [0n, 0n];
  for (const [i, value] of readings.entries()) {
    if (value === undefined) continue;
    wh += value;
    weight += weightOf(i);
  }
  return (i) => {
    if (weight === 0n) return MISSING;
    const value = roundHalfAway(weightOf(i) * wh, weight);
    return -MAX_WH <= value && value <= MAX_WH ? { value, quality: "estimated" } : MISSING;
  };
}

/** What a period without a complete reading counts as, by the tariff's rule. */
function estimator(input: BillInput): (counted: readonly Counted[], i: number) => Counted {
  const { tariff, periodSeconds } = input;
  if (tariff.missingRule === "zero") return () => MISSING;
  if (tariff.missingRule === "last-day") return (counted) => fromEarlierDay(counted, DAY_SECONDS / periodSeconds);
  const profile = scaledProfile(input);
  return (_, i) => profile(i);
}

/**
 * "A period without a complete reading, or without an epoch, is never silently zero: it is missing or estimated (the
 * tariff's rule), shown as such."
 */
function countPeriods(input: BillInput): Counted[] {
  const { readings, prices } = input;
  const estimate = estimator(input);
  const counted: Counted[] = [];
  for (const [i, price] of prices.entries()) {
    const value = readings[i];
    if (price === undefined) counted.push({ value: 0n, quality: "no-epoch" });
    else if (value !== undefined) counted.push({ value, quality: "measured" });
    else counted.push(estimate(counted, i));
  }
  return counted;
}

/** F(after) - F(before) of each period, cumulative from the first one, estimated periods included. */
function tierCosts(tariff: Tariff, consumption: readonly bigint[]): bigint[] | undefined {
  const { tiers } = tariff;
  if (tiers === undefined) return undefined;
  let after = 0n;
  let costAfter = 0n;
  return consumption.map((value) => {
    const costBefore = costAfter;
    after += value;
    costAfter = tierCost(tiers, after);
    return costAfter - costBefore;
  });
}

function adjustmentLines(tariff: Tariff, energy: bigint): [string, bigint][] {
  const { adjustment } = tariff;
  if (adjustment === undefined) return [];
  if (energy === adjustment.thresholdWh) return [["adjustment", 0n]];
  return [["adjustment", energy < adjustment.thresholdWh ? adjustment.below : adjustment.above]];
}

function penaltyLines({ faultPenalty }: Tariff, faults: number): [string, bigint][] {
  return faultPenalty === undefined ? [] : [["penalty", faultPenalty * BigInt(faults)]];
}

/** "each on the sum of the untaxed lines", "its line rounded half away from zero to a nano-unit". */
function taxLines(tariff: Tariff, untaxed: bigint): [string, bigint][] {
  return tariff.taxes.map((rate, i) => [`tax/${i}`, roundHalfAway(untaxed * rate, MILLION)]);
}

/** @throws VeilgridError `bad-tariff` for a profile of another length than the bill's days. */
function checkProfile({ tariff: { profile }, periodSeconds }: BillInput): void {
  const perDay = DAY_SECONDS / periodSeconds;
  if (profile === undefined || profile.length === perDay) return;
  throw new VeilgridError("bad-tariff", `bad tariff: profile: a day has ${perDay} periods`, {
    facts: { path: "profile", perDay, weights: profile.length },
    blame: "caller",
  });
}

function checkInput({ readings, prices }: BillInput): void {
  const stray =
    readings.length !== prices.length || prices.some((p, i) => p === undefined && readings[i] !== undefined);
  if (!stray) return;
  throw new VeilgridError("bad-bill-input", "a bill's readings and prices are of the same periods", {
    facts: { readings: readings.length, prices: prices.length },
    blame: "caller",
  });
}

/**
 * Computes a bill exactly (PROTOCOL section 2, Arithmetic; section 4, Dynamic billing). "Lines, in order: energy (sum
 * of c_k·p_k), tiers, fixed charges, incentive or penalty, taxes, deltas"; lines that the tariff has not are absent.
 * @throws VeilgridError `bad-bill-input` where the columns differ in length, or a reading has no price; `bad-tariff` for a
 * profile of other periods than the bill's.
 */
export function computeBill(input: BillInput): Bill {
  checkInput(input);
  checkProfile(input);
  const { tariff, prices, faults = 0, deltas = [] } = input;
  const counted = countPeriods(input);
  const consumption = counted.map(({ value }) => value);
  const energy = sum(consumption);
  const costs = consumption.map((value, i) => value * (prices[i] ?? 0n));
  const steps = tierCosts(tariff, consumption);
  const named: [string, bigint][] = [["energy", sum(costs)]];
  if (steps !== undefined) named.push(["tiers", sum(steps)]);
  named.push(...tariff.fixed.map((nano, i): [string, bigint] => [`fixed/${i}`, nano]));
  named.push(...adjustmentLines(tariff, energy), ...penaltyLines(tariff, faults));
  named.push(...taxLines(tariff, sum(named.map(([, nano]) => nano))));
  named.push(...deltas.map((nano, i): [string, bigint] => [`delta/${i}`, nano]));
  const nanos = named.map(([, nano]) => nano);
  const { shown, total } = showLines(nanos, minorUnit(tariff.minorDigits));
  return {
    consumption,
    quality: counted.map(({ quality }) => quality),
    costs,
    tierCosts: steps,
    lines: named.map(([name, nano], i) => ({ name, nano, shown: shown[i] as bigint })),
    total,
    energy,
  };
}
