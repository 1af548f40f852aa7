import { utf8 } from "./bytes.js";
import { monthName } from "./calendar.js";
import { hkdf } from "./hkdf.js";

/** The four GGM roots of one meter and month, 32 bytes each: (s, s', r, r') are (s0, s1, r0, r1). */
export interface Seeds {
  readonly s0: Uint8Array;
  readonly s1: Uint8Array;
  readonly r0: Uint8Array;
  readonly r1: Uint8Array;
}

/**
 * `s, s', r, r' = HKDF(K_M, info "veilgrid/1/seed/" + {s0|s1|r0|r1} + "/" + YYYY-MM)` (PROTOCOL section 4).
 * `monthKey` is K_M (32 bytes), `month` is 12·year + (month-1).
 */
export function deriveSeeds(monthKey: Uint8Array, consortium: Uint8Array, month: number): Seeds {
  const name = monthName(month);
  const infos = ["s0", "s1", "r0", "r1"].map((which) => utf8(`veilgrid/1/seed/${which}/${name}`));
  const [s0, s1, r0, r1] = hkdf(monthKey, consortium, infos) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { s0, s1, r0, r1 };
}

/**
 * `K_{M+1} = HKDF(K_M, info "veilgrid/1/ratchet/" + YYYY-MM of M+1)`: the next month's key, 32 bytes. One way only, so
 * that a meter's current key opens no earlier month (PROTOCOL section 4, Key generation).
 */
export function ratchet(monthKey: Uint8Array, consortium: Uint8Array, nextMonth: number): Uint8Array {
  return hkdf(monthKey, consortium, [utf8(`veilgrid/1/ratchet/${monthName(nextMonth)}`)])[0] as Uint8Array;
}
