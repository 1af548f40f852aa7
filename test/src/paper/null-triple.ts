import type { BloomFilter } from "@veilgrid/protocol";
import { GROUP_ORDER, H1, Writer, evenScalar, scalarBytes, scalarOf, schnorr } from "@veilgrid/protocol";

/** What a search for three keys found. */
export interface NullTriple {
  /** Secrets whose even points add up to nothing and whose keys pass the filter, 32 bytes each. */
  readonly secrets: readonly Uint8Array[];
  /** How many keys were tried, all of them offline. */
  readonly tried: number;
}

/**
 * Three keys of nobody with x + y + w = 0 that pass a filter: added to a period's PRIDs they leave the paper's T (section
 * 5, Filter generation e) as it was.
 */
export function nullTriple(filter: BloomFilter): NullTriple {
  const found: bigint[] = [];
  let tried = 0;
  const passes = (secret: Uint8Array): boolean => {
    tried += 1;
    return filter.has(schnorr.publicKey(secret));
  };
  for (let i = 0; ; i += 1) {
    const x = evenScalar(H1("paper/ground", new Writer().u32(i).bytes()));
    if (!passes(scalarBytes(x))) continue;
    for (const y of found) {
      const w = scalarBytes(GROUP_ORDER - ((x + y) % GROUP_ORDER));
      // The third one has to be even as it is: its negative would not cancel.
      if (evenScalar(w) === scalarOf(w) && passes(w)) return { secrets: [scalarBytes(x), scalarBytes(y), w], tried };
    }
    found.push(x);
  }
}
