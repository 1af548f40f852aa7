import { TimeOfUsePolicy } from "./bands.js";
import { LinearPolicy } from "./linear.js";
import { badPolicy, FlatPolicy, wholeMicro, type PricePolicy } from "./policy.js";
import { PriceFile } from "./pricefile.js";
import { Zone } from "./zone.js";

/** What a policy depends on besides its text. */
export interface PolicyOptions {
  readonly periodSeconds: 900 | 1800;
  /** IANA time zone of the hours of `tou`; UTC if not given. */
  readonly timezone?: string | undefined;
}

/**
 * A price policy from its text, in micro-units of the currency per kWh:
 * `flat:250000` | `tou:00-07=120000,07-17=250000,17-21=400000,21-24=250000` | `linear:BASE,SLOPE[,MIN,MAX]` |
 * `csv:FILE` (see TimeOfUsePolicy, LinearPolicy and PriceFile).
 * @throws VeilgridError `bad-policy`, `unknown-timezone`; for `csv` what PriceFile.read throws.
 */
export async function parsePolicy(text: string, options: PolicyOptions): Promise<PricePolicy> {
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1).trim();
  switch (text.slice(0, Math.max(colon, 0)).trim()) {
    case "flat":
      return new FlatPolicy(wholeMicro(text, rest));
    case "tou":
      return new TimeOfUsePolicy(rest, new Zone(options.timezone ?? "UTC"), options.periodSeconds);
    case "linear":
      return new LinearPolicy(rest);
    case "csv":
      if (rest === "") throw badPolicy(text, "it names no file");
      return PriceFile.read(rest, options.periodSeconds);
    default:
      throw badPolicy(text, "it is none of flat:, tou:, linear:, csv:");
  }
}
