import type { ParamsValues } from "@veilgrid/protocol";
import { InvalidArgumentError } from "commander";

/** The values of a parameter set that are numbers, in their order there. */
const NUMBERS = [
  "submissionWindow",
  "forwardSeconds",
  "roundSeconds",
  "releaseSeconds",
  "maxSkewMs",
  "minReleaseMeters",
  "maxRegionMeters",
  "maxWhPerPeriod",
  "billBytes",
  "bitsPerElement",
  "indices",
  "closeMonths",
  "retentionMonths",
  "verdictDays",
] as const satisfies readonly (keyof ParamsValues)[];

/** Those that are words, with the words. */
const WORDS = {
  release: ["after-commit", "upfront"],
  completeness: ["set", "sum"],
} as const satisfies Partial<Record<keyof ParamsValues, readonly string[]>>;

type NumberName = (typeof NUMBERS)[number];
type WordName = keyof typeof WORDS;

/** What can be set, in words. */
export const VALUES_ARE = `Values that can be set: ${NUMBERS.slice(0, 6).join(", ")},
${NUMBERS.slice(6, 12).join(", ")},
${NUMBERS.slice(12).join(", ")}; release (${WORDS.release.join(", ")}; never back), completeness (${WORDS.completeness.join(", ")}).`;

function isNumber(name: string): name is NumberName {
  return (NUMBERS as readonly string[]).includes(name);
}

function isWord(name: string): name is WordName {
  return name in WORDS;
}

function numberOf(name: NumberName, text: string): ParamsValues {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError(`${name} must be a whole number.`);
  return { [name]: Number(text) };
}

function wordOf(name: WordName, text: string): ParamsValues {
  const words: readonly string[] = WORDS[name];
  if (!words.includes(text)) throw new InvalidArgumentError(`${name} must be ${words.join(" or ")}.`);
  return { [name]: text };
}

/** NAME=VALUE of a parameter set, beside those before it. What the ledger would refuse is not looked for here. */
export function paramsValue(text: string, before: ParamsValues = {}): ParamsValues {
  const [, name = "", value = ""] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? [];
  if (name in before) throw new InvalidArgumentError(`${name} is set twice.`);
  if (isNumber(name)) return { ...before, ...numberOf(name, value) };
  if (isWord(name)) return { ...before, ...wordOf(name, value) };
  throw new InvalidArgumentError("It must be NAME=VALUE, with a name that --help lists.");
}
