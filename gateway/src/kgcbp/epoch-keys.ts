import {
  GROUP_ORDER,
  H3,
  compareBytes,
  leaves,
  readingSecret,
  scalarOf,
  schnorr,
  type Period,
  type Seeds,
} from "@veilgrid/protocol";
import type { EpochRecord } from "./epoch-record.js";
import type { MeterSeeds } from "./seeds.js";

const PRID_BYTES = 32;

/** Which half-reading of a period. */
export type Half = 0 | 1;

/**
 * The PRIDs and masks of an epoch's meters: what lets KGCBP, and it alone, tell whose a reading is. 72 bytes a meter and
 * period; held only while the epoch has periods without their settlement.
 */
export class EpochKeys {
  readonly record: EpochRecord;
  readonly #prids: Uint8Array;
  readonly #masks: BigUint64Array;
  /** For each period the sum of its PRIDs' exponents, as even-y scalars. */
  readonly #exponents: bigint[];

  private constructor(record: EpochRecord) {
    this.record = record;
    const slots = record.periods * record.members.length;
    this.#prids = new Uint8Array(2 * PRID_BYTES * slots);
    this.#masks = new BigUint64Array(slots);
    this.#exponents = Array.from({ length: record.periods }, () => 0n);
  }

  /**
   * Derives them meter by meter: one GGM run for each seed, two public keys a period (0.14 ms each with WASM).
   * @throws VeilgridError `not-enrolled`, `key-missing`.
   */
  static async derive(record: EpochRecord, seeds: MeterSeeds): Promise<EpochKeys> {
    const keys = new EpochKeys(record);
    for (const [member, id] of record.members.entries()) keys.#fill(member, await seeds.of(id, record.first.month));
    return keys;
  }

  #slot(offset: number, member: number): number {
    return offset * this.record.members.length + member;
  }

  #fill(member: number, { s0, s1, r0, r1 }: Seeds): void {
    const { first, periods } = this.record;
    const run = (seed: Uint8Array): Uint8Array[] => leaves(seed, first.k, periods);
    [run(s0), run(s1)].forEach((ts, half) => {
      for (const [offset, t] of ts.entries()) this.#setPrid(offset, member, half as Half, readingSecret(t));
    });
    for (const zs of [run(r0), run(r1)]) {
      for (const [offset, z] of zs.entries()) {
        const slot = this.#slot(offset, member);
        // The array wraps at 2^64, as the ring does.
        this.#masks[slot] = (this.#masks[slot] as bigint) + H3(z);
      }
    }
  }

  #setPrid(offset: number, member: number, half: Half, secret: Uint8Array): void {
    const point = schnorr.publicPoint(secret);
    this.#prids.set(point.subarray(1), PRID_BYTES * (2 * this.#slot(offset, member) + half));
    const scalar = scalarOf(secret);
    // PRIDs are points with an even y: the other y's exponent is the negative.
    this.#exponents[offset] = (this.#exponents[offset] as bigint) + (point[0] === 2 ? scalar : GROUP_ORDER - scalar);
  }

  /** How many periods of the epoch lie before this one. */
  offsetOf(period: Period): number {
    return period.k - this.record.first.k;
  }

  /** A meter's PRID (32 bytes) in the epoch's period number `offset`. */
  prid(offset: number, member: number, half: Half): Uint8Array {
    const at = PRID_BYTES * (2 * this.#slot(offset, member) + half);
    return this.#prids.subarray(at, at + PRID_BYTES);
  }

  /** H3(z) + H3(z') in Z_2^64. */
  mask(offset: number, member: number): bigint {
    return this.#masks[this.#slot(offset, member)] as bigint;
  }

  /** The period's PRID list: ascending, so unpaired. */
  list(offset: number): Uint8Array[] {
    const prids = this.record.members.flatMap((_, member) => [
      this.prid(offset, member, 0),
      this.prid(offset, member, 1),
    ]);
    return prids.sort(compareBytes);
  }

  /** The exponent of the period's T, the sum of its PRIDs as even-y points. */
  exponent(offset: number): bigint {
    return (this.#exponents[offset] as bigint) % GROUP_ORDER;
  }
}
