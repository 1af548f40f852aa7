/** 32 bits of a text, from another beginning for each `salt` (FNV-1a with a final mix): names streams, keeps no secret. */
function mixed(text: string, salt: number): number {
  let hash = (0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1)) >>> 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** From the shortest to the longest, milliseconds. */
export type Span = readonly [number, number];

/**
 * A stream of draws that follows from its name (sfc32). Each concern of a simulation has a stream of its own, so that
 * leaving one fault out changes as little as possible of the rest.
 */
export class Draw {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(name: string) {
    this.#name = name;
    [this.#a, this.#b, this.#c] = [mixed(name, 1), mixed(name, 2), mixed(name, 3)];
    for (let i = 0; i < 8; i += 1) this.#next();
  }

  #next(): number {
    const drawn = (this.#a + this.#b + this.#count) >>> 0;
    this.#count = (this.#count + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) >>> 0;
    return drawn;
  }

  /** Another stream, named after this one. */
  stream(name: string | number): Draw {
    return new Draw(`${this.#name}/${name}`);
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** A whole number from the first to the last of a span, both included. */
  within([least, most]: Span): number {
    return least + this.below(most - least + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
