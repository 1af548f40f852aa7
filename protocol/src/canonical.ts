import { equalBytes, utf8 } from "./bytes.js";
import { VeilgridError, type Blame } from "./errors.js";

/*
 * Canonical JSON (RFC 8785) for values of texts, booleans, null, arrays, objects and integers below 2^53. Floats have no
 * place in anything billed, so that the one hard part of the RFC, printing them, is not needed.
 */

function refuse(why: string, blame: Blame, cause?: unknown): VeilgridError {
  return new VeilgridError("not-canonical", `not canonical JSON: ${why}`, { facts: { why }, blame, cause });
}

/** Deeper nesting is refused, so that no input exhausts the stack; a report needs five levels. */
const MAX_DEPTH = 64;

/** A lone surrogate is no Unicode text: RFC 8785 section 3.2.2.2 makes it an error. */
function canonicalText(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw refuse("a lone surrogate", "caller");
  return JSON.stringify(value);
}

function canonicalNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw refuse("a number that is no safe integer", "caller");
  return String(value);
}

/** RFC 8785 section 3.2.3: names sorted by UTF-16 code units, which is the order that strings compare in. */
function canonicalObject(value: object, depth: number): string {
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${canonicalText(name)}:${encode(field, depth)}`).join(",")}}`;
}

function canonicalList(value: readonly unknown[], depth: number): string {
  return `[${value.map((element) => encode(element, depth)).join(",")}]`;
}

function encode(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw refuse(`nested deeper than ${MAX_DEPTH}`, "caller");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return canonicalText(value);
  if (typeof value === "number") return canonicalNumber(value);
  if (Array.isArray(value)) return canonicalList(value, depth + 1);
  if (typeof value === "object") return canonicalObject(value, depth + 1);
  throw refuse(`a value of type ${typeof value}`, "caller");
}

/**
 * The canonical text of a JSON value.
 * @throws VeilgridError `not-canonical` for floats, integers of 2^53 and more, lone surrogates, and what JSON has not.
 */
export function canonicalJson(value: unknown): string {
  return encode(value, 0);
}

/** The canonical text in UTF-8. */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalJson(value));
}

function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw refuse("not JSON in UTF-8", "peer", cause);
  }
}

/**
 * The value of canonical bytes.
 * @throws VeilgridError `not-canonical` unless encoding the value again gives the same bytes.
 */
export function parseCanonical(bytes: Uint8Array): unknown {
  const value = decode(bytes);
  if (!equalBytes(canonicalBytes(value), bytes)) throw refuse("another encoding of the same value", "peer");
  return value;
}
