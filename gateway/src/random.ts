import { createHash, createHmac } from "node:crypto";
import type { Random } from "./ports/random.js";

type Label = string | number;

/** Draws are 48 bits wide: the widest that a number holds exactly in whole bytes. */
const DRAW_BYTES = 6;
const DRAWS = 2 ** 48;
const BLOCK_BYTES = 32;

/** A label with its type and length, so that no two lists of labels have the same bytes. */
function encoded(label: Label): Uint8Array {
  const text = Buffer.from(String(label), "utf8");
  const bytes = Buffer.alloc(5 + text.length);
  bytes.writeUInt8(typeof label === "string" ? 1 : 2, 0);
  bytes.writeUInt32BE(text.length, 1);
  text.copy(bytes, 5);
  return bytes;
}

/**
 * Randomness from a seed: HMAC-SHA-256 under the seed over purpose, labels and a counter. The same labels always
 * give the same value, in any order of calls and after any number of restarts.
 */
export class SeededRandom implements Random {
  readonly #seed: Uint8Array;

  /** `seed`: any bytes; whoever knows them knows every draw. */
  constructor(seed: Uint8Array) {
    this.#seed = Uint8Array.from(seed);
  }

  /** From the number or text of `--seed`. */
  static of(seed: number | string): SeededRandom {
    return new SeededRandom(createHash("sha256").update(`veilgrid/seed/${seed}`).digest());
  }

  /** @throws RangeError for a negative or fractional count. */
  bytes(count: number, ...labels: readonly Label[]): Uint8Array {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${count} is no number of bytes`);
    const result = new Uint8Array(count);
    for (let at = 0; at < count; at += BLOCK_BYTES) {
      const block = this.#block("bytes", labels, at / BLOCK_BYTES);
      result.set(block.subarray(0, Math.min(BLOCK_BYTES, count - at)), at);
    }
    return result;
  }

  /** @throws RangeError unless `limit` is a whole number from 1 to 2^48. */
  below(limit: number, ...labels: readonly Label[]): number {
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > DRAWS) throw new RangeError(`no number is below ${limit}`);
    // Draws from the incomplete last run of `limit` values are thrown away, or small values would come more often.
    const fair = DRAWS - (DRAWS % limit);
    for (let attempt = 0; ; attempt += 1) {
      const draw = Buffer.from(this.#block("below", labels, attempt)).readUIntBE(0, DRAW_BYTES);
      if (draw < fair) return draw % limit;
    }
  }

  #block(purpose: string, labels: readonly Label[], counter: number): Uint8Array {
    const mac = createHmac("sha256", this.#seed).update(encoded(purpose));
    for (const label of labels) mac.update(encoded(label));
    return mac.update(encoded(counter)).digest();
  }
}
