import { leaves } from "./ggm.js";
import type { Seeds } from "./keys.js";
import type { Period } from "./messages/period.js";
import type { Verdict } from "./messages/verdict.js";
import { pridOf } from "./prid.js";
import { unmask } from "./split.js";

/** What a customer's seeds give for one period: the two PRIDs and the masks' leaves z and z', 32 bytes each. */
export interface PeriodKeys {
  readonly prid: Uint8Array;
  readonly prid2: Uint8Array;
  readonly z: Uint8Array;
  readonly z2: Uint8Array;
}

/** PRIDs are made when they are asked for: a month of supply may have few periods that an epoch covers. */
class LeafKeys implements PeriodKeys {
  readonly z: Uint8Array;
  readonly z2: Uint8Array;
  readonly #t: Uint8Array;
  readonly #t2: Uint8Array;
  #prid: Uint8Array | undefined;
  #prid2: Uint8Array | undefined;

  constructor([t, t2, z, z2]: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]) {
    this.#t = t;
    this.#t2 = t2;
    this.z = z;
    this.z2 = z2;
  }

  get prid(): Uint8Array {
    return (this.#prid ??= pridOf(this.#t));
  }

  get prid2(): Uint8Array {
    return (this.#prid2 ??= pridOf(this.#t2));
  }
}

/**
 * The keys of the periods k in [first, first + count) of the seeds' month: one depth-first pass for each seed
 * (PROTOCOL section 4, Filter generation).
 * @throws VeilgridError `out-of-range` for periods outside the tree.
 */
export function periodKeys(seeds: Seeds, first: number, count: number): PeriodKeys[] {
  const run = (seed: Uint8Array): Uint8Array[] => leaves(seed, first, count);
  const [t, t2, z, z2] = [run(seeds.s0), run(seeds.s1), run(seeds.r0), run(seeds.r1)] as const;
  return t.map((leaf, i) => new LeafKeys([leaf, t2[i] as Uint8Array, z[i] as Uint8Array, z2[i] as Uint8Array]));
}

/** What the ledger says of one region-period that an epoch covers. */
export interface PeriodFacts {
  /** Bound of a complete reading in Wh, from the parameter set that the period's epoch names. */
  readonly maxWhPerPeriod: bigint;
  /** Micro-units per kWh; undefined as long as none is committed. */
  readonly price: bigint | undefined;
  /** The masked values that the period's block has under a PRID: none, one or two. */
  readings(prid: Uint8Array): readonly bigint[];
  /** Whether the committed release names the PRID; absent where nothing was released, or without a correction. */
  excluded?(prid: Uint8Array): boolean;
  /** Whether the PRID passes the period's BF1; absent where the ledger's source does not keep filters. */
  pridListed?(prid: Uint8Array): boolean;
}

/** What a bill's verification asks of a ledger. */
export interface BillLedger {
  /** The consortium id, 32 bytes. */
  readonly consortium: Uint8Array;
  /** The epoch in the region's committed block of that number; undefined where there is none. */
  epoch(region: number, number: bigint): Promise<EpochFacts | undefined>;
  /** The verdict with such a ref on a region's period; undefined where none is committed. */
  verdict(region: number, period: Period, ref: Uint8Array): Promise<Verdict | undefined>;
  /** A region's period; undefined where no epoch covers it. */
  period(region: number, period: Period): Promise<PeriodFacts | undefined>;
  /** A region-period's price in micro-units per kWh, also where no epoch covers it; undefined where none is committed. */
  price(region: number, period: Period): Promise<bigint | undefined>;
}

/** What a committed epoch says of its seed leaves. */
export interface EpochFacts {
  readonly first: Period;
  /** How many seed leaves there are under the root. */
  readonly leaves: number;
  /** 32 bytes. */
  readonly seedRoot: Uint8Array;
}

/** Why a period is, or is not, a complete reading. */
export type ReadingState = "complete" | "silent" | "half" | "repeated" | "implausible";

/** A customer's own reading as the ledger has it. */
export interface Finding {
  readonly state: ReadingState;
  /** The masked values under either PRID. */
  readonly rc: readonly bigint[];
  readonly rc2: readonly bigint[];
  /** Signed Wh, wherever both halves are there once; it counts only where the state is complete. */
  readonly consumption?: bigint;
}

function incompleteState(rc: readonly bigint[], rc2: readonly bigint[]): ReadingState {
  if (rc.length === 0 && rc2.length === 0) return "silent";
  return rc.length > 1 || rc2.length > 1 ? "repeated" : "half";
}

/**
 * Opens the customer's own reading of a period. "complete is both halves there, one reading each, and |c| <=
 * `maxWhPerPeriod` (else a stale key or a broken register)" (PROTOCOL section 4, Mask release).
 */
export function findReading(keys: PeriodKeys, facts: PeriodFacts): Finding {
  const rc = facts.readings(keys.prid);
  const rc2 = facts.readings(keys.prid2);
  const [half, half2] = [rc[0], rc2[0]];
  if (rc.length !== 1 || rc2.length !== 1 || half === undefined || half2 === undefined) {
    return { state: incompleteState(rc, rc2), rc, rc2 };
  }
  const consumption = unmask(half, half2, keys.z, keys.z2);
  const magnitude = consumption < 0n ? -consumption : consumption;
  return { state: magnitude <= facts.maxWhPerPeriod ? "complete" : "implausible", rc, rc2, consumption };
}
