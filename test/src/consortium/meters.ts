import {
  H3,
  deriveSeeds,
  encodeLeaf,
  leaf,
  pridOf,
  readingCodec,
  readingLeaf,
  readingSecret,
  seedLeafHash,
  sha256,
  signBody,
  splitReading,
  utf8,
  type Period,
  type Seeds,
} from "@veilgrid/protocol";

/** What one half of a meter's reading is made with. */
export interface Half {
  /** H2(t), 32 bytes. */
  readonly secret: Uint8Array;
  readonly prid: Uint8Array;
  readonly z: Uint8Array;
  /** H3(z). */
  readonly mask: bigint;
}

/** A region's period of one consortium: what a reading is bound to. */
export interface Place {
  readonly consortium: Uint8Array;
  readonly region: number;
  readonly period: Period;
}

/** A meter whose keys follow from its name; every month has the same month key here. */
export class Meter {
  readonly bid: Uint8Array;
  /** K of every month, 32 bytes. */
  readonly monthKey: Uint8Array;
  readonly #halves = new Map<string, readonly [Half, Half]>();

  constructor(name: string) {
    this.bid = sha256(utf8(`BID of ${name}`)).subarray(0, 16);
    this.monthKey = sha256(utf8(`month key of ${name}`));
  }

  /** The four GGM roots of a month. */
  seeds(consortium: Uint8Array, month: number): Seeds {
    return deriveSeeds(this.monthKey, consortium, month);
  }

  /** The keys of both halves in a period. */
  halves({ consortium, period }: Place): readonly [Half, Half] {
    const name = `${consortium.join()}/${period.month}/${period.k}`;
    const known = this.#halves.get(name);
    if (known !== undefined) return known;
    const { s0, s1, r0, r1 } = this.seeds(consortium, period.month);
    const made = [half(leaf(s0, period.k), leaf(r0, period.k)), half(leaf(s1, period.k), leaf(r1, period.k))] as const;
    this.#halves.set(name, made);
    return made;
  }

  /** The leaf by which an epoch binds KGCBP to this meter's seeds, from `first` on. */
  seedLeaf(consortium: Uint8Array, first: Period): Uint8Array {
    return seedLeafHash(this.bid, first, this.seeds(consortium, first.month));
  }

  /** The leaves of both signed halves for a consumption in Wh. */
  readings(place: Place, consumption: bigint): [Uint8Array, Uint8Array] {
    const [first, second] = this.halves(place);
    const { rc, rc2 } = splitReading(consumption, first.z, second.z);
    return [signedLeaf(place, first, rc), signedLeaf(place, second, rc2)];
  }
}

function half(t: Uint8Array, z: Uint8Array): Half {
  return { secret: readingSecret(t), prid: pridOf(t), z, mask: H3(z) };
}

/** `prid ‖ rc ‖ sig` of a reading that `secret` signs (its own, unless it is to be forged): 104 bytes. */
export function signedLeaf(
  { consortium, region, period }: Place,
  { prid, secret }: Pick<Half, "prid" | "secret">,
  rc: bigint,
): Uint8Array {
  const body = readingCodec.encode({ region, period, prid, rc });
  return readingLeaf(encodeLeaf(body, signBody("reading", consortium, body, secret)));
}
