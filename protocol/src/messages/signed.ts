import { MAX_INPUT_BYTES, malformed } from "../bytes.js";
import type { Codec } from "../codec.js";
import { signBody, verifyBody, type SigKind } from "../sig.js";
import type { VerifiedSignatures } from "../memory.js";
import { decodeLeaf, encodeLeaf } from "./leaf.js";
import type { StructCodec } from "./struct.js";

/** A decoded message with what its signature covers. */
export interface Signed<T> {
  readonly body: T;
  /** The encoded body. */
  readonly bytes: Uint8Array;
  /** 64 bytes. */
  readonly sig: Uint8Array;
}

/** Encodes and signs a body. @throws VeilgridError `out-of-range`, `bad-secret`. */
export function signStruct<T>(
  kind: SigKind,
  consortium: Uint8Array,
  codec: Codec<T>,
  body: T,
  secret: Uint8Array,
): Signed<T> {
  const bytes = codec.encode(body);
  return { body, bytes, sig: signBody(kind, consortium, bytes, secret) };
}

/** Whether the signature is that of `key` (x-only, 32 bytes). */
export function verifySigned(
  kind: SigKind,
  consortium: Uint8Array,
  signed: Pick<Signed<unknown>, "bytes" | "sig">,
  key: Uint8Array,
  memory?: VerifiedSignatures,
): boolean {
  return verifyBody(kind, consortium, signed.bytes, signed.sig, key, memory);
}

/** `body ‖ sig` as it travels. */
export function encodeSigned(signed: Pick<Signed<unknown>, "bytes" | "sig">): Uint8Array {
  return encodeLeaf(signed.bytes, signed.sig);
}

/**
 * Reads `body ‖ sig`; the signature is not verified. `bytes` and `sig` are views of the input.
 * @throws VeilgridError `malformed`, also above 2 097 152 bytes with the signature.
 */
export function decodeSigned<T>(codec: StructCodec<T>, bytes: Uint8Array, periodSeconds?: number): Signed<T> {
  if (bytes.length > MAX_INPUT_BYTES) throw malformed("signed body", `longer than ${MAX_INPUT_BYTES} bytes`);
  const { body, sig } = decodeLeaf(bytes);
  return { body: codec.decode(body, periodSeconds), bytes: body, sig };
}
