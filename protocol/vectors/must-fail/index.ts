import { toHex } from "../../src/index.js";
import { CONSENSUS } from "./consensus.js";
import { DELIVERIES } from "./deliveries.js";
import { ISSUED } from "./issued.js";
import { READINGS } from "./readings.js";
import { SETUP } from "./setup.js";

/** An entry of must-fail.json. */
export interface MustFailVector {
  readonly what: string;
  readonly why: string;
  readonly hex: string;
}

/** What protocol/vectors/must-fail.json holds. */
export function mustFail(): MustFailVector[] {
  return [...SETUP, ...READINGS, ...CONSENSUS, ...ISSUED, ...DELIVERIES].map(([what, why, bytes]) => ({
    what,
    why,
    hex: toHex(bytes),
  }));
}
