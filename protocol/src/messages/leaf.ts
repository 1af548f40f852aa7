import { concat, malformed } from "../bytes.js";
import { unfit } from "./struct.js";

/** Length of a signature, which follows the body that it signs on the wire, in a leaf, a receipt or a certificate. */
export const SIG_BYTES = 64;

/** A body with its signature: the content of an issuer's leaf, and of every signed message. */
export interface Leaf {
  readonly body: Uint8Array;
  readonly sig: Uint8Array;
}

/** `body ‖ sig`. @throws VeilgridError `out-of-range` for a signature that is not 64 bytes or an empty body. */
export function encodeLeaf(body: Uint8Array, sig: Uint8Array): Uint8Array {
  if (sig.length !== SIG_BYTES || body.length === 0) throw unfit("signed body", "a body and 64 bytes of signature");
  return concat(body, sig);
}

/** Body and signature, as views of the bytes. @throws VeilgridError `malformed` where there is no body. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const size = bytes.length - SIG_BYTES;
  if (size < 1) throw malformed("signed body", "too short");
  return { body: bytes.subarray(0, size), sig: bytes.subarray(size) };
}
