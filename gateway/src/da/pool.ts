import { SIGNED_READING_BYTES, compareBytes, concat, readingHash, readingLeaf, sha256 } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import { nameOf, storeKey } from "./names.js";

/** "two are enough and the most": how many readings of one PRID a block holds, and so how many others are kept. */
const MOST_OF_ONE_PRID = 2;
const PRID_BYTES = 32;

/** A signed reading as it is held, with its names in maps. */
export interface HeldReading {
  /** Reading ‖ sig, 113 bytes. */
  readonly signed: Uint8Array;
  /** Its leaf in a block, 104 bytes. */
  readonly leaf: Uint8Array;
  /** readingHash, 32 bytes. */
  readonly hash: Uint8Array;
  /** The name of the hash. */
  readonly id: string;
  /** The name of the PRID. */
  readonly prid: string;
}

/** @param signed Reading ‖ sig, 113 bytes. */
export function heldReading(signed: Uint8Array): HeldReading {
  const hash = readingHash(signed);
  const leaf = readingLeaf(signed);
  return { signed, leaf, hash, id: nameOf(hash), prid: nameOf(leaf.subarray(0, PRID_BYTES)) };
}

/** Order of bundles and acks. */
export function byHash(a: HeldReading, b: HeldReading): number {
  return compareBytes(a.hash, b.hash);
}

/** Order of a block's leaves. */
export function byLeaf(a: HeldReading, b: HeldReading): number {
  return compareBytes(a.leaf, b.leaf);
}

/** At most two readings of a PRID, of which both suit everybody who acked a third; in the order of a block. */
export function atMostTwo(readings: Iterable<HeldReading>): HeldReading[] {
  const counts = new Map<string, number>();
  return [...readings].sort(byLeaf).filter(({ prid }) => {
    const count = (counts.get(prid) ?? 0) + 1;
    counts.set(prid, count);
    return count <= MOST_OF_ONE_PRID;
  });
}

/**
 * The verified readings of one region-period. One a PRID is acked here, the first that this DA verified; of others, which
 * other DAs may have acked, two are kept: they are enough for any block.
 */
export class PeriodPool {
  readonly #acked = new Map<string, HeldReading>();
  readonly #others = new Map<string, readonly HeldReading[]>();
  /** Names of the acked readings that are on disk as such: an ack may go out. */
  readonly #settled = new Set<string>();
  readonly #keys: string[] = [];

  /** The one reading that this DA acks of a PRID. */
  ackedOf(prid: string): HeldReading | undefined {
    return this.#acked.get(prid);
  }

  /** Whether these very bytes were verified here before. */
  knows({ id, prid }: HeldReading): boolean {
    return this.#acked.get(prid)?.id === id || this.#othersOf(prid).some((other) => other.id === id);
  }

  /** Whether the reading is on disk as one that this DA acks. */
  isSettled({ id }: HeldReading): boolean {
    return this.#settled.has(id);
  }

  /** Makes a verified reading the one of its PRID that is acked; false, and nothing changes, where another is. */
  claim(reading: HeldReading): boolean {
    const acked = this.#acked.get(reading.prid);
    if (acked === undefined) this.#acked.set(reading.prid, reading);
    return acked === undefined || acked.id === reading.id;
  }

  /** Gives back a claim that did not reach the disk: nothing was acked. */
  disclaim(reading: HeldReading): void {
    if (!this.isSettled(reading)) this.#acked.delete(reading.prid);
  }

  /** Takes in a verified reading that is not acked here. False where it is known or two others of its PRID are. */
  admit(reading: HeldReading): boolean {
    const others = this.#othersOf(reading.prid);
    if (this.knows(reading) || others.length >= MOST_OF_ONE_PRID) return false;
    this.#others.set(reading.prid, [...others, reading]);
    return true;
  }

  /** Readings are on disk now, under `key`; as acked ones or as others. */
  settle(key: string, which: "a" | "n", readings: readonly HeldReading[]): void {
    this.#keys.push(key);
    if (which === "a") for (const { id } of readings) this.#settled.add(id);
  }

  /** What this DA acked, or may have: what is on disk as such. */
  acked(): HeldReading[] {
    return [...this.#acked.values()].filter((reading) => this.isSettled(reading));
  }

  /** Every verified reading, each once, by its name. */
  held(): Map<string, HeldReading> {
    const all = [...this.acked(), ...[...this.#others.values()].flat()];
    return new Map(all.map((reading) => [reading.id, reading]));
  }

  /** How many readings it has. */
  get size(): number {
    return this.#acked.size + [...this.#others.values()].reduce((sum, others) => sum + others.length, 0);
  }

  /** The keys on disk. */
  get keys(): readonly string[] {
    return this.#keys;
  }

  #othersOf(prid: string): readonly HeldReading[] {
    return this.#others.get(prid) ?? [];
  }
}

/** A region-period's pool while its block is not committed. */
export interface OpenPool {
  readonly slot: string;
  readonly pool: PeriodPool;
}

/** All pools, durable: a reading is acked only when it is here on disk. */
export class Pools {
  readonly #store: Store;
  readonly #pools = new Map<string, PeriodPool>();

  constructor(modules: { readonly store: Store }) {
    this.#store = modules.store;
  }

  /** Reads back what is on disk. */
  async load(): Promise<void> {
    this.#pools.clear();
    for (const { key, value } of await this.#store.range(storeKey.pools)) {
      const [, slot, rest] = key.split("/") as [string, string, string];
      const pool = this.open(slot);
      const which = rest.startsWith("a") ? "a" : "n";
      const readings = split(value).map(heldReading);
      for (const reading of readings) {
        if (which === "a") pool.claim(reading);
        else pool.admit(reading);
      }
      pool.settle(key, which, readings);
    }
  }

  /** The pool of a region-period (by `slotOf`), made when first asked for. */
  open(slot: string): PeriodPool {
    const known = this.#pools.get(slot);
    if (known !== undefined) return known;
    const pool = new PeriodPool();
    this.#pools.set(slot, pool);
    return pool;
  }

  /** The pool if there is one. */
  find(slot: string): PeriodPool | undefined {
    return this.#pools.get(slot);
  }

  /** The region-periods that have a pool. */
  get slots(): readonly string[] {
    return [...this.#pools.keys()];
  }

  /** How many readings there are in all. */
  get size(): number {
    return [...this.#pools.values()].reduce((sum, pool) => sum + pool.size, 0);
  }

  /**
   * Writes readings of an open pool in one go; `which` says whether they are acked here. Nothing for none, and nothing is
   * left of it where the period's block is committed by then.
   */
  async persist({ slot, pool }: OpenPool, which: "a" | "n", readings: readonly HeldReading[]): Promise<void> {
    if (readings.length === 0 || this.#pools.get(slot) !== pool) return;
    // Named after all of them: two bundles that begin with the same reading may be on their way to the disk at once.
    const key = storeKey.pool(slot, which, sha256(...readings.map(({ hash }) => hash)));
    await this.#store.write([{ key, value: concat(...readings.map(({ signed }) => signed)) }]);
    if (this.#pools.get(slot) === pool) pool.settle(key, which, readings);
    else await this.#store.write([{ key, value: undefined }]);
  }

  /** Everything of a region-period is dropped when its block is committed: what to change on disk. */
  drop(slot: string): Change[] {
    const keys = this.#pools.get(slot)?.keys ?? [];
    this.#pools.delete(slot);
    return keys.map((key) => ({ key, value: undefined }));
  }
}

function split(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / SIGNED_READING_BYTES }, (_, i) =>
    bytes.subarray(i * SIGNED_READING_BYTES, (i + 1) * SIGNED_READING_BYTES),
  );
}
