import { concat } from "@veilgrid/protocol";
import { plain } from "../ledger/plain.js";
import { badBlock } from "./faults.js";

// Reads protobuf messages exactly as the peers do (Go's proto.Unmarshal). The client assembles much of a transaction, and
// nothing holds it to one encoding: Go merges a message that comes in two parts and passes over a field of a wrong type,
// where google-protobuf's JavaScript classes take the last part, or fail. A client could then commit a transaction that
// its readers see otherwise than the peers did, or not at all.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;
/** As deep as Go follows groups. */
const MAX_DEPTH = 10_000;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A place in a message's bytes. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >> 64n !== 0n) break;
        return value;
      }
    }
    throw badBlock("a number of more than 64 bits");
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw badBlock("a message that ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** A field's value, where it is one that this adapter reads; others are passed over. */
  value(type: number): bigint | Uint8Array | undefined {
    switch (type) {
      case VARINT:
        return this.varint();
      case BYTES: {
        const length = this.varint();
        return this.take(length > 0xffff_ffffn ? Infinity : Number(length));
      }
      case FIXED64:
        this.take(8);
        return undefined;
      case FIXED32:
        this.take(4);
        return undefined;
      default:
        throw badBlock("a field of no type");
    }
  }
}

/** Keeps account of groups, whose content nobody reads. */
class Groups {
  readonly #open: bigint[] = [];

  get isInside(): boolean {
    return this.#open.length > 0;
  }

  /** Whether the tag begins or ends a group. */
  takes(field: bigint, type: number): boolean {
    if (type === GROUP) this.#open.push(field);
    if (type === GROUP_END && this.#open.pop() !== field) throw badBlock("a group that ends without a beginning");
    if (this.#open.length > MAX_DEPTH) throw badBlock("groups too deep");
    return type === GROUP || type === GROUP_END;
  }
}

/** A protobuf message: its fields by their numbers. What is absent reads as empty, as protobuf has it. */
export class Message {
  readonly #numbers = new Map<number, bigint>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  /** @throws VeilgridError `bad-fabric-block` for bytes that Go would not take either. */
  constructor(bytes: Uint8Array) {
    const cursor = new Cursor(plain(bytes));
    const groups = new Groups();
    while (!cursor.isAtEnd) {
      const tag = cursor.varint();
      const [field, type] = [tag >> 3n, Number(tag & 7n)];
      if (field === 0n || field > 0x1fff_ffffn) throw badBlock("a field that has no number");
      if (groups.takes(field, type)) continue;
      const value = cursor.value(type);
      if (!groups.isInside) this.#keep(Number(field), value);
    }
    if (groups.isInside) throw badBlock("a group without an end");
  }

  #keep(field: number, value: bigint | Uint8Array | undefined): void {
    if (typeof value === "bigint") this.#numbers.set(field, value);
    if (!(value instanceof Uint8Array)) return;
    const values = this.#bytes.get(field);
    if (values === undefined) this.#bytes.set(field, [value]);
    else values.push(value);
  }

  /** An unsigned 64-bit number, or the 64 bits of a signed one. */
  number(field: number): bigint {
    return this.#numbers.get(field) ?? 0n;
  }

  /** All values of a repeated field of bytes or messages, in order. They share the message's memory. */
  list(field: number): readonly Uint8Array[] {
    return this.#bytes.get(field) ?? [];
  }

  /** A field of bytes: the last value counts. It shares the message's memory. */
  bytes(field: number): Uint8Array {
    return this.list(field).at(-1) ?? new Uint8Array();
  }

  /** A field of text. @throws VeilgridError `bad-fabric-block` unless all its values are UTF-8, as Go has it. */
  text(field: number): string {
    try {
      return this.list(field).reduce((_, bytes) => strict.decode(bytes), "");
    } catch (cause) {
      throw badBlock("text that is not UTF-8", cause);
    }
  }

  /** Whether a message is there, be it empty. */
  has(field: number): boolean {
    return this.#bytes.has(field);
  }

  /** A message in a field of this one. Several values are parts of one: protobuf merges them as if end to end. */
  message(field: number): Message {
    const parts = this.list(field);
    // Each part must be a message by itself.
    if (parts.length > 1) for (const part of parts) new Message(part);
    return new Message(concat(...parts));
  }

  /** A message whose bytes a field holds, which is not the same: the last value counts. */
  inside(field: number): Message {
    return new Message(this.bytes(field));
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

/** A field of bytes or of a message, as it is written. */
export function bytesField(field: number, value: Uint8Array): Uint8Array {
  return concat(varint(BigInt((field << 3) | BYTES)), varint(BigInt(value.length)), value);
}

/** A field of an unsigned number, as it is written. */
export function numberField(field: number, value: bigint): Uint8Array {
  return concat(varint(BigInt((field << 3) | VARINT)), varint(value));
}
