import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from "node:crypto";
import { concat } from "@veilgrid/protocol";

// Certificates that differ from a real one in one respect, made by changing its bytes and signing them anew.

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const UTC_TIME = 0x17;
/** Half of the order of P-256: Fabric takes the lower of the two values of s only. */
const HALF = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

/** One DER element: where its contents begin, and where it ends. */
function element(bytes: Uint8Array, at: number): { start: number; end: number } {
  const first = bytes[at + 1] as number;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  let length = extra === 0 ? first : 0;
  for (let i = 0; i < extra; i += 1) length = length * 256 + (bytes[at + 2 + i] as number);
  const start = at + 2 + extra;
  return { start, end: start + length };
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from([tag, ...size]), content);
}

function lowSignature(body: Uint8Array, key: KeyObject): Uint8Array {
  for (;;) {
    const raw = sign("sha256", body, { key, dsaEncoding: "ieee-p1363" });
    if (BigInt(`0x${raw.subarray(32).toString("hex")}`) > HALF) continue;
    const integer = (part: Buffer): Uint8Array => {
      const bare = part.subarray(part.findIndex((byte) => byte !== 0));
      return der(0x02, (bare[0] as number) >= 0x80 ? concat(Uint8Array.of(0), bare) : new Uint8Array(bare));
    };
    return der(SEQUENCE, concat(integer(raw.subarray(0, 32)), integer(raw.subarray(32))));
  }
}

/** The certificate with other contents, signed with a key. */
function resigned(pem: string, key: KeyObject, change: (body: Buffer) => void): string {
  const certificate = new Uint8Array(new X509Certificate(pem).raw);
  const body = element(certificate, 0).start;
  const algorithm = element(certificate, body).end;
  const content = Buffer.from(certificate.slice(body, algorithm));
  change(content);
  const signature = der(BIT_STRING, concat(Uint8Array.of(0), lowSignature(content, key)));
  const bytes = der(
    SEQUENCE,
    concat(content, certificate.slice(algorithm, element(certificate, algorithm).end), signature),
  );
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** The same certificate of the same authority, but it was valid in 2020 only. */
export function expired(pem: string, authority: KeyObject): string {
  return resigned(pem, authority, (body) => {
    // Validity is two UTCTimes of 13 characters: "YYMMDDhhmmssZ".
    const at = body.findIndex((byte, i) => byte === UTC_TIME && body[i + 1] === 13 && body[i + 15] === UTC_TIME);
    body.write("200101000000Z", at + 2, "latin1");
    body.write("201231235959Z", at + 17, "latin1");
  });
}

/** The same certificate of an authority of the same name that nobody knows. */
export function foreign(pem: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  return resigned(pem, privateKey, () => undefined);
}
