import { toHex } from "./bytes.js";
import { sha256 } from "./hash.js";
import { schnorr } from "./schnorr/choice.js";
import { wellSized } from "./schnorr/engine.js";

/**
 * Remembers signatures that it has verified, by hash, and never those it has not (PROTOCOL section 8), so that the
 * roles in one process verify a reading once. `limit` bounds how many it holds; with 0 it remembers nothing.
 */
export class VerifiedSignatures {
  readonly #half: number;
  // Two generations: when the younger is full it becomes the older one. What is used in between is bounded by
  // `limit`, and forgetting costs nothing.
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  /** How many signatures it holds now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The verdict of the engine in use, or the memory of an earlier good one. False for anything malformed. */
  verify(message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
    // Lengths first: the hash below would not tell a byte moved from one field to the next.
    if (!wellSized(signature, message, key)) return false;
    if (this.knows(message, key, signature)) return true;
    if (!schnorr.verify(signature, message, key)) return false;
    this.learn(message, key, signature);
    return true;
  }

  /** Whether it remembers a good verdict. */
  knows(message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
    if (this.#half === 0 || !wellSized(signature, message, key)) return false;
    const name = nameOf(message, key, signature);
    return this.#young.has(name) || this.#old.has(name);
  }

  /** Takes in a good verdict that an engine gave elsewhere, such as in another thread of this process. */
  learn(message: Uint8Array, key: Uint8Array, signature: Uint8Array): void {
    if (this.#half === 0 || !wellSized(signature, message, key)) return;
    this.#remember(nameOf(message, key, signature));
  }

  #remember(name: string): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
  }
}

function nameOf(message: Uint8Array, key: Uint8Array, signature: Uint8Array): string {
  return toHex(sha256(message, key, signature));
}
