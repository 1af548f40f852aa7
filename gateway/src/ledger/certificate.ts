import { createECDH, createHash } from "node:crypto";
import { concat, utf8 } from "@veilgrid/protocol";

/** Order of P-256 (FIPS 186-5; SEC 2 section 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function toBytes32(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
}

/** A scalar in [1, order - 1]. */
function scalar(seed: Uint8Array): bigint {
  return (toInteger(seed) % (ORDER - 1n)) + 1n;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; square = (square * square) % ORDER, rest >>= 1n) {
    if (rest & 1n) result = (result * square) % ORDER;
  }
  return result;
}

/** The point `secret` times G, uncompressed (65 bytes). */
function multiplyBase(secret: bigint): Uint8Array {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(toBytes32(secret));
  return new Uint8Array(curve.getPublicKey());
}

// DER (X.690): a tag, the length, the contents.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION_FIELD = 0xa0;

function length(size: number): number[] {
  if (size < 0x80) return [size];
  return size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concat(...contents);
  return concat(Uint8Array.from([tag, ...length(body.length)]), body);
}

function integer(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  // The top bit is the sign: a positive number that has it set is led by a zero byte.
  return der(INTEGER, new Uint8Array(Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex")));
}

function bitString(bytes: Uint8Array): Uint8Array {
  return der(BIT_STRING, Uint8Array.of(0), bytes);
}

/** An object identifier by its DER contents. */
function oid(hex: string): Uint8Array {
  return der(0x06, new Uint8Array(Buffer.from(hex, "hex")));
}

const EC_PUBLIC_KEY = oid("2a8648ce3d0201");
const PRIME256V1 = oid("2a8648ce3d030107");
const ECDSA_WITH_SHA256 = der(SEQUENCE, oid("2a8648ce3d040302"));
const ORGANISATIONAL_UNIT = oid("55040b");
const COMMON_NAME = oid("550403");

function name(msp: string): Uint8Array {
  const attribute = (type: Uint8Array, value: string): Uint8Array =>
    der(SET, der(SEQUENCE, type, der(UTF8_STRING, utf8(value))));
  return der(SEQUENCE, attribute(ORGANISATIONAL_UNIT, "client"), attribute(COMMON_NAME, msp));
}

/** ECDSA (FIPS 186-5 section 6.4) with a nonce derived from key and message: the same certificate every time. */
function sign(message: Uint8Array, secret: bigint): Uint8Array {
  const hash = digest(message);
  const nonce = scalar(digest(utf8("veilgrid/1/embedded-nonce"), toBytes32(secret), hash));
  const r = toInteger(multiplyBase(nonce).subarray(1, 33)) % ORDER;
  const s = (power(nonce, ORDER - 2n) * ((toInteger(hash) + r * secret) % ORDER)) % ORDER;
  // Fabric takes the lower of the two values of s only.
  return der(SEQUENCE, integer(r), integer(s > ORDER / 2n ? ORDER - s : s));
}

/** X.509 v3 (RFC 5280 section 4.1), valid for ever. */
function selfSigned(msp: string): Uint8Array {
  const seed = digest(utf8("veilgrid/1/embedded-identity"), utf8(msp));
  const secret = scalar(seed);
  const subject = name(msp);
  const body = der(
    SEQUENCE,
    der(VERSION_FIELD, integer(2n)),
    integer(toInteger(digest(seed).subarray(0, 8)) + 1n),
    ECDSA_WITH_SHA256,
    subject,
    der(SEQUENCE, der(UTC_TIME, utf8("700101000000Z")), der(GENERALIZED_TIME, utf8("99991231235959Z"))),
    subject,
    der(SEQUENCE, der(SEQUENCE, EC_PUBLIC_KEY, PRIME256V1), bitString(multiplyBase(secret))),
  );
  return der(SEQUENCE, body, ECDSA_WITH_SHA256, bitString(sign(body, secret)));
}

/**
 * A self-signed ECDSA certificate on P-256 for an organisation's client, PEM, the same bytes every time. Its private
 * key follows from the MSP id: it identifies and protects nothing.
 */
export function certificateOf(msp: string): string {
  const lines = Buffer.from(selfSigned(msp))
    .toString("base64")
    .match(/.{1,64}/g) as string[];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
