import { concat } from "./bytes.js";
import { VeilgridError } from "./errors.js";

/*
 * One length for every bill (PROTOCOL section 4, Dynamic billing): the plaintext is padded with spaces after the JSON so
 * that the age v1 ciphertext has exactly `billBytes`; length follows consumption closely otherwise.
 */

const base64 = (bytes: number): number => Math.ceil((bytes * 4) / 3);

/**
 * Bytes of an age v1 header with one X25519 stanza (age specification, "Header" and "The X25519 recipient type"): the
 * version line, the stanza's line with a 32-byte share, its body (a 16-byte file key and its tag), and the MAC line.
 */
const HEADER =
  "age-encryption.org/v1\n".length +
  ("-> X25519 ".length + base64(32) + "\n".length) +
  (base64(16 + 16) + "\n".length) +
  ("--- ".length + base64(32) + "\n".length);
const NONCE = 16;
const TAG = 16;
/** Plaintext bytes in a chunk of the payload; the last one may be shorter. */
const CHUNK = 65_536;
const SPACE = 0x20;

/**
 * Bytes of plaintext that give an age v1 ciphertext of `billBytes` (one X25519 stanza, no grease stanza): less header,
 * 16 bytes of nonce, and 16 bytes of tag for each begun chunk of 64 KiB.
 * @throws VeilgridError `out-of-range` for a length that no age file has.
 */
export function plaintextBytes(billBytes: number): number {
  const payload = billBytes - HEADER - NONCE;
  const chunks = Math.ceil(payload / (CHUNK + TAG));
  const plaintext = payload - chunks * TAG;
  // A last chunk holds at least one byte, or the file would have one chunk less.
  if (Number.isInteger(billBytes) && plaintext > Math.max(0, (chunks - 1) * CHUNK)) return plaintext;
  throw new VeilgridError("out-of-range", `no age file has ${billBytes} bytes`, {
    facts: { billBytes },
    blame: "caller",
  });
}

/**
 * The plaintext to encrypt: the report's JSON and as many spaces as `billBytes` asks for.
 * @throws VeilgridError `report-too-long` where the JSON alone is longer.
 */
export function padReport(json: Uint8Array, billBytes: number): Uint8Array {
  const room = plaintextBytes(billBytes);
  if (json.length > room) {
    throw new VeilgridError("report-too-long", `a report of ${json.length} bytes does not fit into ${room}`, {
      facts: { bytes: json.length, room, billBytes },
      blame: "operator",
    });
  }
  return concat(json, new Uint8Array(room - json.length).fill(SPACE));
}

/**
 * The report's JSON in a decrypted plaintext.
 * @throws VeilgridError `malformed` for a plaintext of another length than `billBytes` asks for.
 */
export function unpadReport(plaintext: Uint8Array, billBytes: number): Uint8Array {
  if (plaintext.length !== plaintextBytes(billBytes)) {
    throw new VeilgridError("malformed", `malformed bill: a plaintext of ${plaintext.length} bytes`, {
      facts: { what: "bill", bytes: plaintext.length, billBytes },
      blame: "peer",
    });
  }
  let end = plaintext.length;
  while (end > 0 && plaintext[end - 1] === SPACE) end -= 1;
  return plaintext.slice(0, end);
}
