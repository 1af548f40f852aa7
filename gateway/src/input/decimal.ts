/** A decimal number as a whole number of its `places`th decimals, or why it is none. */
export type Scaled = { readonly value: bigint } | { readonly reason: string };

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$|^([+-]?)\.(\d+)$/;
/** Longer texts are no measured value, and would only cost time. */
const MAX_LENGTH = 64;

/** The parts of a decimal text: all its digits, and by how many places they are to be moved right. */
function split(text: string): { negative: boolean; digits: string; decimals: number } | undefined {
  const parts = text.length > MAX_LENGTH ? null : DECIMAL.exec(text);
  if (parts === null) return undefined;
  const fraction = parts[3] ?? parts[6] ?? "";
  const sign = parts[1] ?? parts[5];
  return {
    negative: sign === "-",
    digits: (parts[2] ?? "") + fraction,
    decimals: fraction.length - Number(parts[4] ?? "0"),
  };
}

/**
 * `text` times 10^`places`, exactly: digits are moved, never rounded and never made a floating point number.
 * A text with more decimals than `places` (zeros at its end apart) is refused, not cut.
 */
export function scaled(text: string, places: number): Scaled {
  const parts = split(text);
  if (parts === undefined) return { reason: `"${text.slice(0, MAX_LENGTH)}" is not a decimal number` };
  const shift = places - parts.decimals;
  let digits = parts.digits;
  if (shift >= 0) digits += "0".repeat(shift);
  else {
    const dropped = digits.slice(shift);
    if (/[1-9]/.test(dropped)) return { reason: `"${text}" has more than ${places} decimals` };
    digits = digits.slice(0, shift);
  }
  const value = BigInt(digits === "" ? "0" : digits);
  return { value: parts.negative ? -value : value };
}
