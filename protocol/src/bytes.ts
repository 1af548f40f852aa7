import { VeilgridError } from "./errors.js";

/** The largest input any decoder looks at (PROTOCOL section 7). */
export const MAX_INPUT_BYTES = 2_097_152;

const U64_END = 1n << 64n;
const I64_END = 1n << 63n;
const encoder = new TextEncoder();

function outOfRange(what: string, facts: Record<string, string | number>): VeilgridError {
  return new VeilgridError("out-of-range", `${what} does not fit its field`, { facts, blame: "caller" });
}

/** Error of every decoder: the bytes are not the canonical encoding of `what`. */
export function malformed(what: string, why: string): VeilgridError {
  return new VeilgridError("malformed", `malformed ${what}: ${why}`, { facts: { what, why }, blame: "peer" });
}

/** How many bytes the length prefix of a vector bounded by `high` takes (RFC 8446 section 3.4). */
function prefixBytes(high: number): number {
  if (high < 0x100) return 1;
  if (high < 0x1_0000) return 2;
  return high < 0x100_0000 ? 3 : 4;
}

/** Writes big-endian fields in the presentation language of RFC 8446 section 3. */
export class Writer {
  readonly #parts: Uint8Array[] = [];

  #uint(value: number, size: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) throw outOfRange("integer", { value, size });
    const part = new Uint8Array(size);
    for (let i = size - 1, rest = value; i >= 0; i -= 1, rest = Math.floor(rest / 256)) part[i] = rest % 256;
    this.#parts.push(part);
    return this;
  }

  u8(value: number): this {
    return this.#uint(value, 1);
  }

  u16(value: number): this {
    return this.#uint(value, 2);
  }

  u32(value: number): this {
    return this.#uint(value, 4);
  }

  u64(value: bigint): this {
    if (value < 0n || value >= U64_END) throw outOfRange("uint64", { value: value.toString() });
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, value);
    this.#parts.push(part);
    return this;
  }

  i64(value: bigint): this {
    if (value < -I64_END || value >= I64_END) throw outOfRange("int64", { value: value.toString() });
    return this.u64(BigInt.asUintN(64, value));
  }

  /** Bytes as they are, without a prefix. */
  raw(value: Uint8Array): this {
    this.#parts.push(value);
    return this;
  }

  /** A field `x[size]`: exactly `size` bytes, no prefix. */
  fixed(value: Uint8Array, size: number): this {
    if (value.length !== size) throw outOfRange("fixed field", { size, got: value.length });
    return this.raw(value);
  }

  /** A field `opaque x<low..high>`: length prefix, then the bytes. */
  opaque(value: Uint8Array, low: number, high: number): this {
    if (value.length < low || value.length > high) throw outOfRange("vector", { low, high, got: value.length });
    return this.#uint(value.length, prefixBytes(high)).raw(value);
  }

  bytes(): Uint8Array {
    return concat(...this.#parts);
  }
}

/**
 * Reads what a Writer wrote and refuses everything else.
 * `what` names the message in errors; inputs above `limit` bytes are refused unread.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string, limit = MAX_INPUT_BYTES) {
    if (bytes.length > limit) throw malformed(what, `longer than ${limit} bytes`);
    // A plain view: a Buffer's slice() would be no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  /** How many bytes are not yet read. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(size: number): Uint8Array {
    if (this.left < size) throw malformed(this.#what, "too short");
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #uint(size: number): number {
    let value = 0;
    for (const byte of this.#take(size)) value = value * 256 + byte;
    return value;
  }

  u8(): number {
    return this.#uint(1);
  }

  u16(): number {
    return this.#uint(2);
  }

  u32(): number {
    return this.#uint(4);
  }

  u64(): bigint {
    const part = this.#take(8);
    return new DataView(part.buffer, part.byteOffset, 8).getBigUint64(0);
  }

  i64(): bigint {
    return BigInt.asIntN(64, this.u64());
  }

  /** A copy of the next `size` bytes. */
  fixed(size: number): Uint8Array {
    return this.#take(size).slice();
  }

  /** A vector `<low..high>`: its length prefix is read and checked, its bytes are copied. */
  opaque(low: number, high: number): Uint8Array {
    const size = this.#uint(prefixBytes(high));
    if (size < low || size > high) throw this.refuse(`a vector of ${size} bytes, not ${low} to ${high}`);
    return this.fixed(size);
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    return this.fixed(this.left);
  }

  /** A decoder's refusal, naming the message. */
  refuse(why: string): VeilgridError {
    return malformed(this.#what, why);
  }

  /** Must be the last call of each decoder: a decoder refuses trailing bytes. */
  end(): void {
    if (this.left !== 0) throw this.refuse(`${this.left} trailing bytes`);
  }
}

/** The parts, one after the other, as one new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Lexicographic order of unsigned bytes: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const order = (a[i] as number) - (b[i] as number);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte] as string;
  return text;
}

/** @throws VeilgridError `malformed` for anything but an even number of lower-case hex digits. */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw malformed("hex", "not an even number of lower-case hex digits");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
