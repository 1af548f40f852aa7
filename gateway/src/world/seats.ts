import { schnorr, type Params } from "@veilgrid/protocol";
import type { Store } from "../ports/store.js";
import { daMsp, seatOfMsp } from "./consortium.js";
import type { RunKeys, SigningKey } from "./secrets.js";

/** Whose key a version names: an aggregator by its seat, CC or KGCBP. */
export type Party = number | "cc" | "kgcbp";

interface Kept {
  /** How many aggregators the run has or had. */
  readonly das: number;
  /** By party: how often a new key was made for it. */
  readonly generations: Readonly<Record<string, number>>;
}

const KEY = "seats";

/**
 * The aggregators of a run, those that joined and left too, and the keys that were made for its parties after version 1.
 * A seat is an organisation for ever: its number is in its MSP id, while its index changes with the versions. Keys follow
 * from the run's master secret, the party and how many it had before.
 */
export class Seats {
  readonly #keys: RunKeys;
  readonly #store: Store;
  #kept: Kept;

  constructor(keys: RunKeys, store: Store) {
    this.#keys = keys;
    this.#store = store;
    const bytes = store.get(KEY);
    this.#kept =
      bytes === undefined
        ? { das: keys.da.length, generations: {} }
        : (JSON.parse(Buffer.from(bytes).toString("utf8")) as Kept);
  }

  get count(): number {
    return this.#kept.das;
  }

  /** The key of the party's first version. */
  first(party: Party): SigningKey {
    if (party === "cc") return this.#keys.cc;
    if (party === "kgcbp") return this.#keys.kgcbp;
    return this.#keys.da[party] ?? this.#made(party, 0);
  }

  /** The keys that were made for it later, the oldest first. */
  later(party: Party): SigningKey[] {
    const generations = this.#kept.generations[String(party)] ?? 0;
    return Array.from({ length: generations }, (_, i) => this.#made(party, i + 1));
  }

  /** The key that `rotate` would make. */
  next(party: Party): SigningKey {
    return this.#made(party, (this.#kept.generations[String(party)] ?? 0) + 1);
  }

  /** Makes a new key for a party, on disk before anybody hears of it. */
  async rotate(party: Party): Promise<SigningKey> {
    const made = this.next(party);
    const generation = (this.#kept.generations[String(party)] ?? 0) + 1;
    await this.#keep({ ...this.#kept, generations: { ...this.#kept.generations, [String(party)]: generation } });
    return made;
  }

  /** Makes a seat for a new aggregator. @returns its number. */
  async add(): Promise<number> {
    const seat = this.#kept.das;
    await this.#keep({ ...this.#kept, das: seat + 1 });
    return seat;
  }

  /** The secrets that a version's new keys stand for. */
  secretsOf(keys: readonly Uint8Array[]): Uint8Array[] {
    const parties: Party[] = [...Array.from({ length: this.count }, (_, seat) => seat), "cc", "kgcbp"];
    const all = parties.flatMap((party) => [this.first(party), ...this.later(party)]);
    return all.filter(({ key }) => keys.some((one) => Buffer.compare(one, key) === 0)).map(({ secret }) => secret);
  }

  /**
   * The organisations whose endorsement counts under a version: its aggregators, and whoever has a seat and was never in a
   * version: "Adding a DA, in this order: channel configuration, chaincode definition (endorsement Q of W), params block".
   * @param ever the MSP ids of all versions so far.
   */
  endorsing({ da }: Params, ever: ReadonlySet<string>): string[] {
    const coming = Array.from({ length: this.count }, (_, seat) => daMsp(seat)).filter((msp) => !ever.has(msp));
    return [...da.map(({ msp }) => msp), ...coming];
  }

  /** The seats of a version's aggregators, in the order of their indices. */
  static of({ da }: Params): number[] {
    return da.map(({ msp }) => seatOfMsp(msp));
  }

  #made(party: Party, generation: number): SigningKey {
    const secret = this.#keys.random.bytes(32, "signing", "later", party, generation);
    return { secret, key: schnorr.publicKey(secret) };
  }

  async #keep(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#store.write([{ key: KEY, value: Buffer.from(JSON.stringify(kept), "utf8") }]);
  }
}
