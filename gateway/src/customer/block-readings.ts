import { Reader, compareBytes, concat } from "@veilgrid/protocol";

const PRID_BYTES = 32;
/** PRID and masked value; the signature is not needed any more. */
const ENTRY_BYTES = PRID_BYTES + 8;

/** A readings block's masked values by PRID, 40 bytes a reading, in the order of the block: ascending. */
export class BlockReadings {
  readonly #entries: Uint8Array;

  /** @param leaves of a readings block (104 bytes each). */
  constructor(leaves: readonly Uint8Array[]) {
    this.#entries = concat(...leaves.map((leaf) => leaf.subarray(0, ENTRY_BYTES)));
  }

  get bytes(): number {
    return this.#entries.length;
  }

  #entry(i: number): Uint8Array {
    return this.#entries.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
  }

  /** The index of the first reading whose PRID is not below `prid`. */
  #lowerBound(prid: Uint8Array): number {
    let [low, high] = [0, this.#entries.length / ENTRY_BYTES];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#entry(middle).subarray(0, PRID_BYTES), prid) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The masked values under a PRID: none, one or two. */
  under(prid: Uint8Array): bigint[] {
    const values: bigint[] = [];
    for (let i = this.#lowerBound(prid); i * ENTRY_BYTES < this.#entries.length; i += 1) {
      const reader = new Reader(this.#entry(i), "reading");
      if (compareBytes(reader.fixed(PRID_BYTES), prid) !== 0) break;
      values.push(reader.u64());
    }
    return values;
  }
}
