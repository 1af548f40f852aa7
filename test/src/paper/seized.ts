import { deriveSeeds, leaf, periodKeys, pridOf, splitReading, toHex, unmask, type Seeds } from "@veilgrid/protocol";

/** What anybody can read of a month on the blockchain: masked values by PRID (hex). */
export type Public = ReadonlyMap<string, bigint>;

/** The readings that a meter with these seeds sends in the periods from 0 on, consumptions in Wh. */
export function readingsUnder({ s0, s1, r0, r1 }: Seeds, consumptions: readonly bigint[]): [string, bigint][] {
  return consumptions.flatMap((c, k): [string, bigint][] => {
    const { rc, rc2 } = splitReading(c, leaf(r0, k), leaf(r1, k));
    return [
      [toHex(pridOf(leaf(s0, k))), rc],
      [toHex(pridOf(leaf(s1, k))), rc2],
    ];
  });
}

/** What seeds open of a month: the consumption of each period of which both halves are found. */
export function opened(ledger: Public, seeds: Seeds, periods: number): bigint[] {
  return periodKeys(seeds, 0, periods).flatMap(({ prid, prid2, z, z2 }) => {
    const [rc, rc2] = [ledger.get(toHex(prid)), ledger.get(toHex(prid2))];
    return rc === undefined || rc2 === undefined ? [] : [unmask(rc, rc2, z, z2)];
  });
}

/** What everything that lies in a seized meter's memory opens: any 32 bytes of it may be a key of the month. */
export function openedBy(
  memory: readonly Uint8Array[],
  ledger: Public,
  { consortium, month, periods }: { consortium: Uint8Array; month: number; periods: number },
): bigint[] {
  for (const bytes of memory) {
    for (let at = 0; at + 32 <= bytes.length; at += 1) {
      const seeds = deriveSeeds(bytes.slice(at, at + 32), consortium, month);
      // A single PRID tells whether this is a key.
      if (ledger.has(toHex(pridOf(leaf(seeds.s0, 0))))) return opened(ledger, seeds, periods);
    }
  }
  return [];
}
