import {
  H3,
  deriveSeeds,
  leaf,
  pridOf,
  readingSecret,
  sub,
  sum,
  toHex,
  toSigned,
  type Period,
  type ReadingLeaf,
} from "@veilgrid/protocol";
import type { Consortium, Home } from "../consortium.js";

/** A home's keys in a period, derived by the test itself. */
export interface TrueKeys {
  readonly secrets: readonly [Uint8Array, Uint8Array];
  readonly prids: readonly [Uint8Array, Uint8Array];
  /** H3(z) + H3(z') in Z_2^64. */
  readonly mask: bigint;
}

/** What a block says of a home: its consumption where both halves stand there once, and within the bound. */
export interface TrueReading {
  readonly home: Home;
  readonly keys: TrueKeys;
  readonly consumption: bigint | undefined;
}

/** Everything that the homes know and nobody else together. */
export class Truth {
  readonly #consortium: Consortium;
  readonly #keys = new Map<string, TrueKeys>();

  constructor(consortium: Consortium) {
    this.#consortium = consortium;
  }

  /** The homes of a region. */
  homes(region: number): Home[] {
    return this.#consortium.homes.filter((home) => home.region === region);
  }

  keys({ name, monthKey }: Home, { month, k }: Period): TrueKeys {
    const slot = `${name}/${month}/${k}`;
    const known = this.#keys.get(slot);
    if (known !== undefined) return known;
    const { s0, s1, r0, r1 } = deriveSeeds(monthKey, this.#consortium.id, month);
    const ts = [leaf(s0, k), leaf(s1, k)] as const;
    const made: TrueKeys = {
      secrets: [readingSecret(ts[0]), readingSecret(ts[1])],
      prids: [pridOf(ts[0]), pridOf(ts[1])],
      mask: sum([H3(leaf(r0, k)), H3(leaf(r1, k))]),
    };
    this.#keys.set(slot, made);
    return made;
  }

  /** The PRIDs of a region's period, in hex. */
  prids(region: number, period: Period): Set<string> {
    return new Set(this.homes(region).flatMap((home) => this.keys(home, period).prids.map(toHex)));
  }

  /** What a block tells who knows all keys. */
  read(region: number, period: Period, leaves: readonly ReadingLeaf[]): TrueReading[] {
    const values = new Map<string, bigint[]>();
    for (const { prid, rc } of leaves) values.set(toHex(prid), [...(values.get(toHex(prid)) ?? []), rc]);
    const bound = BigInt(this.#consortium.params.maxWhPerPeriod);
    return this.homes(region).map((home) => {
      const keys = this.keys(home, period);
      const halves = keys.prids.map((prid) => values.get(toHex(prid)) ?? []);
      if (halves.some((rcs) => rcs.length !== 1)) return { home, keys, consumption: undefined };
      const c = toSigned(sub(sum(halves.flat()), keys.mask));
      return { home, keys, consumption: c <= bound && -c <= bound ? c : undefined };
    });
  }
}
