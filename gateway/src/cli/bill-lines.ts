import { formatAmount, type BillReport, type TariffJson } from "@veilgrid/protocol";
import { kilowattHours, unitPrice } from "./output.js";

/** What the sorts of lines are called by people, each line counted from 0 within its sort. */
const LINE_NAMES: Readonly<Record<string, (report: BillReport, i: number) => string>> = {
  energy: () => "energy at the ledger's prices",
  tiers: () => "block tariff",
  fixed: (_, i) => `fixed charge ${i + 1}`,
  adjustment: () => "incentive or penalty",
  penalty: ({ penalties }) => `faults of the meter: ${penalties?.k.length ?? 0}`,
  tax: ({ tariff }, i) => `tax ${i + 1}, ${percent(tariff.taxes[i] as number)}`,
  delta: ({ deltas }, i) => `settlement of ${deltas[i]?.month ?? "an earlier month"}: ${deltas[i]?.reason ?? ""}`,
};

/** What a line of a bill is called by people. */
export function lineName(name: string, report: BillReport): string {
  const [sort = "", index = "0"] = name.split("/");
  return LINE_NAMES[sort]?.(report, Number(index)) ?? name;
}

/** "7.7 %" of millionths. */
function percent(millionths: number): string {
  return `${formatAmount(BigInt(millionths), 4).replace(/\.?0+$/, "")} %`;
}

/** "CHF", or "units" where the tariff names no currency. */
export function unitOf({ currency }: TariffJson): string {
  return currency ?? "units";
}

/** "0.086250000" of nano-units. */
export function exactAmount(nano: string | bigint): string {
  return formatAmount(BigInt(nano), 9);
}

const MISSING: Readonly<Record<TariffJson["missingRule"], string>> = {
  zero: "counts 0 Wh",
  "last-day": "counts as the same time of the day before",
  profile: "counts by the tariff's daily profile, scaled to what was measured",
};

/** A tariff in sentences. */
export function tariffLines(tariff: TariffJson): string[] {
  const { tiers = [], fixed, adjustment, faultPenalty, minorDigits, missingRule } = tariff;
  const unit = unitOf(tariff);
  const steps = tiers.map(([upTo, price]) => {
    const range = upTo === null ? "beyond" : `up to ${kilowattHours(BigInt(upTo))} of the month`;
    return `block tariff, ${range}: ${unitPrice(price)} ${unit} a kWh`;
  });
  const charges = fixed.map((nano, i) => `fixed charge ${i + 1}: ${exactAmount(nano)} ${unit}`);
  const taxes = tariff.taxes.map((rate, i) => `tax ${i + 1}: ${percent(rate)} of the lines above`);
  const incentive = adjustment && [
    `below ${kilowattHours(BigInt(adjustment.thresholdWh))}: ${exactAmount(adjustment.below)} ${unit}, ` +
      `above: ${exactAmount(adjustment.above)} ${unit}`,
  ];
  return [
    "energy: each period's consumption at the ledger's price",
    ...steps,
    ...charges,
    ...(incentive ?? []),
    ...(faultPenalty === undefined
      ? []
      : [`each fault that the meter is blamed for: ${exactAmount(faultPenalty)} ${unit}`]),
    ...taxes,
    `a period without a complete reading ${MISSING[missingRule]}, and is shown`,
    `the total is rounded once, to 1/${10 ** minorDigits} ${unit}`,
  ];
}
