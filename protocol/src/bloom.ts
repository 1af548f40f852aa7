import { VeilgridError } from "./errors.js";
import { taggedHash, type TaggedHash } from "./hash.js";

/** The two integers that shape a filter; 29 and 20 give a false-positive rate near 1e-6. */
export interface BloomShape {
  readonly bitsPerElement: number;
  readonly indices: number;
}

/** Index words in one 32-byte hash. */
const WORDS = 8;

/** Bytes of a filter for `n` elements: ceil(b·n / 8) (PROTOCOL section 2). */
export function bloomBytes(n: number, bitsPerElement: number): number {
  return Math.ceil((bitsPerElement * n) / 8);
}

/**
 * The index words of one element: consecutive 32-bit big-endian words of `H1(tag, element ‖ 0x00) ‖ H1(tag, element ‖
 * 0x01) ‖ …`. One is reused for all elements of a filter; a hash is made only when its first word is asked for.
 */
class IndexWords {
  readonly #hash: TaggedHash;
  readonly #digest = new Uint8Array(4 * WORDS);
  readonly #view = new DataView(this.#digest.buffer);
  readonly #counter = new Uint8Array(1);

  constructor(tag: string) {
    this.#hash = taggedHash(tag);
  }

  /** Word i of `element`; must be asked for i = 0, 1, 2, … in order. */
  word(element: Uint8Array, i: number): number {
    const at = i % WORDS;
    if (at === 0) {
      this.#counter[0] = i / WORDS;
      this.#hash.into(this.#digest, element, this.#counter);
    }
    return this.#view.getUint32(4 * at);
  }
}

function checkBits(bits: Uint8Array): void {
  if (bits.length > 0) return;
  throw new VeilgridError("out-of-range", "a Bloom filter has at least one byte", { blame: "caller" });
}

/**
 * A Bloom filter in the protocol's exact form (PROTOCOL section 2): every index is a hash word of its own, because
 * double hashing was measured at 1.4e-3 where 1e-6 was asked, on filters as small as these.
 */
export class BloomFilter {
  readonly #bits: Uint8Array;
  readonly #indices: number;
  readonly #words: IndexWords;

  /** Over the filter's bytes as committed. @throws VeilgridError `out-of-range` for no bytes at all. */
  constructor(bits: Uint8Array, tag: string, indices: number) {
    checkBits(bits);
    this.#bits = bits;
    this.#indices = indices;
    this.#words = new IndexWords(tag);
  }

  /** The filter of `elements`, sized for `n` of them. @throws VeilgridError `out-of-range` for n = 0. */
  static of(tag: string, elements: Iterable<Uint8Array>, n: number, shape: BloomShape): BloomFilter {
    const filter = new BloomFilter(new Uint8Array(bloomBytes(n, shape.bitsPerElement)), tag, shape.indices);
    for (const element of elements) filter.#add(element);
    return filter;
  }

  /** The filter's bytes; bit x is mask 0x80 >> (x mod 8) of byte x div 8. */
  get bits(): Uint8Array {
    return this.#bits;
  }

  /** Whether the element may be in: always true for one that is, true by accident at the rate of the shape. */
  has(element: Uint8Array): boolean {
    const size = 8 * this.#bits.length;
    for (let i = 0; i < this.#indices; i += 1) {
      const bit = this.#words.word(element, i) % size;
      if (((this.#bits[bit >>> 3] as number) & (0x80 >>> (bit & 7))) === 0) return false;
    }
    return true;
  }

  #add(element: Uint8Array): void {
    const size = 8 * this.#bits.length;
    for (let i = 0; i < this.#indices; i += 1) {
      const bit = this.#words.word(element, i) % size;
      this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] as number) | (0x80 >>> (bit & 7));
    }
  }
}
