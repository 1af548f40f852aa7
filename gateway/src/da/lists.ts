import { BloomFilter, concat, equalBytes, setCommitment, sha256, type Period } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import type { Covering, KnownEpoch } from "./epochs.js";
import { coverOf } from "./epochs.js";
import { nameOf, slotOf, storeKey } from "./names.js";

const HASH_BYTES = 32;

/** Names what an entry commits a list to: an equal fingerprint means that the list was checked against this entry. */
function fingerprint({ entry }: Covering): Uint8Array {
  return sha256(entry.bf1, entry.set);
}

/**
 * Whether `prids` is the period's list: ascending, of the size that the epoch says, S its hash, and each passing BF1,
 * so that later "in BF1 and in the list" is one look into the list.
 */
function belongs({ epoch, params, entry }: Covering, period: Period, prids: readonly Uint8Array[]): boolean {
  if (prids.length !== 2 * epoch.meters) return false;
  if (!equalBytes(setCommitment(epoch.region, period, prids), entry.set)) return false;
  const filter = new BloomFilter(entry.bf1, "veilgrid/1/bf1", params.indices);
  return prids.every((prid) => filter.has(prid));
}

/** The PRID lists of periods to come: kept on disk until their block is committed, in memory only while used. */
export class Lists {
  readonly #store: Store;
  readonly #inUse = new Map<string, ReadonlySet<string>>();

  constructor(modules: { readonly store: Store }) {
    this.#store = modules.store;
  }

  /**
   * Stores the lists that fit what an epoch says of their periods. `covering` finds the epoch's word on a period.
   * @param lists from period to period, each ascending.
   * @returns how many fit.
   */
  async keep(
    lists: readonly { readonly covering: Covering; readonly period: Period; readonly prids: readonly Uint8Array[] }[],
  ): Promise<number> {
    const changes: Change[] = [];
    for (const { covering, period, prids } of lists) {
      if (!belongs(covering, period, prids)) continue;
      const slot = slotOf(covering.epoch.region, period);
      this.#inUse.delete(slot);
      changes.push({ key: storeKey.list(slot), value: concat(fingerprint(covering), ...prids) });
    }
    await this.#store.write(changes);
    return changes.length;
  }

  /** Whether the list that this entry commits to is here. */
  has(covering: Covering, period: Period): boolean {
    const stored = this.#store.get(storeKey.list(slotOf(covering.epoch.region, period)));
    return stored !== undefined && equalBytes(stored.subarray(0, HASH_BYTES), fingerprint(covering));
  }

  /** The periods of an epoch whose lists are not here. */
  missing(known: KnownEpoch): Period[] {
    return known.periods.filter((period) => !this.has(coverOf(known, period) as Covering, period));
  }

  /** The PRIDs of a period (by `nameOf`), or undefined where the list is not here. */
  prids(covering: Covering, period: Period): ReadonlySet<string> | undefined {
    const slot = slotOf(covering.epoch.region, period);
    const inUse = this.#inUse.get(slot);
    if (inUse !== undefined) return inUse;
    if (!this.has(covering, period)) return undefined;
    const prids = new Set(this.bytes(covering.epoch.region, period).map(nameOf));
    this.#inUse.set(slot, prids);
    return prids;
  }

  /** The list as it was sent; empty where it is not here. */
  bytes(region: number, period: Period): Uint8Array[] {
    const stored = this.#store.get(storeKey.list(slotOf(region, period)));
    const count = stored === undefined ? 0 : stored.length / HASH_BYTES - 1;
    return Array.from({ length: count }, (_, i) => (stored as Uint8Array).subarray(32 * (i + 1), 32 * (i + 2)));
  }

  /** "deleted after the period's block": what to change on disk. */
  drop(slot: string): Change[] {
    this.#inUse.delete(slot);
    return [{ key: storeKey.list(slot), value: undefined }];
  }
}
