import { sha256 as sha256Of } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "./bytes.js";

type Sha256 = ReturnType<typeof sha256Of.create>;

/** Order q of the group secp256k1 (SEC 2, section 2.4.1). */
export const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const initial = sha256Of.create();
const work = sha256Of.create();

/** Hashes on from a kept state. The state in work is shared: nothing here runs in the middle of another hash. */
function finish(from: Sha256, parts: readonly Uint8Array[], out: Uint8Array): void {
  from._cloneInto(work);
  for (const part of parts) work.update(part);
  work.digestInto(out);
}

/** SHA-256 (FIPS 180-4) of the parts, one after the other; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(32);
  finish(initial, parts, out);
  return out;
}

/**
 * One tag's BIP-340 hash. SHA-256(tag) twice is exactly one block, so its state is kept and every hash starts there:
 * that halves the work on the short inputs that Bloom filters and masks are made of.
 */
export class TaggedHash {
  readonly #start: Sha256;

  constructor(tag: string) {
    const tagHash = sha256Of(utf8(tag));
    this.#start = sha256Of.create().update(concat(tagHash, tagHash));
  }

  /** Writes the 32 bytes into `out`; for inner loops that must not allocate. */
  into(out: Uint8Array, ...parts: readonly Uint8Array[]): void {
    finish(this.#start, parts, out);
  }

  of(...parts: readonly Uint8Array[]): Uint8Array {
    const out = new Uint8Array(32);
    this.into(out, ...parts);
    return out;
  }
}

const tags = new Map<string, TaggedHash>();

/** The hash of a tag, made once. Tags are the protocol's own few, so the table stays small. */
export function taggedHash(tag: string): TaggedHash {
  const known = tags.get(tag);
  if (known !== undefined) return known;
  const made = new TaggedHash(tag);
  tags.set(tag, made);
  return made;
}

/** `H1(tag, m)` of PROTOCOL section 2: the BIP-340 tagged hash; `tag` is the whole tag, the parts are m in pieces. */
export function H1(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return taggedHash(tag).of(...parts);
}

function toInteger(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let value = 0n;
  for (let at = 0; at < bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

/** The 32 big-endian bytes of a scalar below the group order. */
export function scalarBytes(scalar: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let at = 24, rest = scalar; at >= 0; at -= 8, rest >>= 64n) view.setBigUint64(at, BigInt.asUintN(64, rest));
  return bytes;
}

/** The integer that 32 big-endian bytes are. */
export function scalarOf(bytes: Uint8Array): bigint {
  return toInteger(bytes);
}

/**
 * `H2(t)` of PROTOCOL section 2: a scalar in [1, q-1] as 32 bytes. 64 bytes are reduced, so its distance from uniform
 * is below 2^-255.
 */
export function H2(t: Uint8Array): Uint8Array {
  const wide = new Uint8Array(64);
  taggedHash("veilgrid/1/h2/0").into(wide.subarray(0, 32), t);
  taggedHash("veilgrid/1/h2/1").into(wide.subarray(32), t);
  return scalarBytes((toInteger(wide) % (GROUP_ORDER - 1n)) + 1n);
}

/** The first 8 bytes of `H1(tag, m)`, big-endian: an element of the ring Z_2^64. */
export function ringHash(tag: string, m: Uint8Array): bigint {
  const hash = H1(tag, m);
  return new DataView(hash.buffer).getBigUint64(0);
}

/** `H3(z)` of PROTOCOL section 2: the mask of a half-reading, an element of the ring Z_2^64. */
export function H3(z: Uint8Array): bigint {
  return ringHash("veilgrid/1/h3", z);
}
