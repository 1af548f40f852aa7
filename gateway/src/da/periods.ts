import {
  READING_BYTES,
  readingOfLeaf,
  verifyBody,
  window,
  type Params,
  type Period,
  type VerifiedSignatures,
  type Window,
} from "@veilgrid/protocol";
import type { Covering, Epochs } from "./epochs.js";
import type { Lists } from "./lists.js";
import { slotOf } from "./names.js";
import type { Membership } from "./membership.js";
import { heldReading, type HeldReading, type PeriodPool, type Pools } from "./pool.js";

/** A region-period that is neither committed nor without an epoch: everything that a reading of it is held to. */
export interface OpenPeriod {
  readonly region: number;
  readonly period: Period;
  readonly slot: string;
  /** The version that the period's epoch names. */
  readonly params: Params;
  readonly covering: Covering;
  readonly window: Window;
  readonly pool: PeriodPool;
}

/** Why a reading of an open period is not taken. */
export type Flaw = "no-epoch" | "unknown-prid" | "bad-signature";

/** The open periods, and the checks of a reading that every way in shares. */
export class Periods {
  readonly #epochs: Epochs;
  readonly #lists: Lists;
  readonly #pools: Pools;
  readonly #membership: Membership;
  readonly #memory: VerifiedSignatures;
  readonly #open = new Map<string, OpenPeriod>();

  constructor(modules: {
    readonly epochs: Epochs;
    readonly lists: Lists;
    readonly pools: Pools;
    readonly membership: Membership;
    readonly memory: VerifiedSignatures;
  }) {
    this.#epochs = modules.epochs;
    this.#lists = modules.lists;
    this.#pools = modules.pools;
    this.#membership = modules.membership;
    this.#memory = modules.memory;
  }

  /** A period's desk, if an epoch covers it. The caller has made sure that its block is not committed yet. */
  async open(region: number, period: Period): Promise<OpenPeriod | undefined> {
    const slot = slotOf(region, period);
    const known = this.#open.get(slot);
    if (known !== undefined) return known;
    const covering = await this.#epochs.at(region, period);
    if (covering === undefined) return undefined;
    const { params } = covering;
    const opened = {
      region,
      period,
      slot,
      params,
      covering,
      window: window(period, params),
      pool: this.#pools.open(slot),
    };
    this.#open.set(slot, opened);
    return opened;
  }

  /** Whether the PRID (by `nameOf`) is on the period's list; undefined where the list is not here. */
  lists({ covering, period }: OpenPeriod, prid: string): boolean | undefined {
    return this.#lists.prids(covering, period)?.has(prid);
  }

  /**
   * What every reading must pass, however it comes, in the protocol's order: "PRID in BF1[j,k] and in the list; the same
   * bytes before (then the same answer); signature".
   */
  flaw(open: OpenPeriod, reading: HeldReading): Flaw | undefined {
    // PRID in BF1[j,k] and in the list: each PRID of the list was found in BF1 when the list came.
    const listed = this.lists(open, reading.prid);
    if (listed === undefined) return "no-epoch";
    if (!listed) return "unknown-prid";
    // The same bytes before: they were verified then.
    if (open.pool.knows(reading)) return undefined;
    // Signature.
    return this.#isSigned(reading) ? undefined : "bad-signature";
  }

  /** The reading of this period that a leaf stands for, if it passes all of this. */
  verified(open: OpenPeriod, leaf: Uint8Array): HeldReading | undefined {
    const reading = heldReading(readingOfLeaf(open.region, open.period)(leaf));
    return this.flaw(open, reading) === undefined ? reading : undefined;
  }

  close(slot: string): void {
    this.#open.delete(slot);
  }

  #isSigned({ signed, leaf }: HeldReading): boolean {
    const body = signed.subarray(0, READING_BYTES);
    const sig = signed.subarray(READING_BYTES);
    return verifyBody("reading", this.#membership.id, body, sig, leaf.subarray(0, 32), this.#memory);
  }
}
