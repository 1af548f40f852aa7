import { isPrivate, pointFromScalar, signSchnorr, verifySchnorr, xOnlyPointFromScalar } from "tiny-secp256k1";
import { AUX_RAND, badSecret, checkMessage, wellSized, type SchnorrEngine } from "./engine.js";

function checkSecret(secret: Uint8Array): void {
  if (!isPrivate(secret)) throw badSecret();
}

/** The default: libsecp256k1 compiled to WebAssembly (tiny-secp256k1). Runs wherever JavaScript does. */
export const wasmEngine: SchnorrEngine = {
  name: "wasm",
  publicKey(secret) {
    checkSecret(secret);
    return xOnlyPointFromScalar(secret);
  },
  publicPoint(secret) {
    const point = isPrivate(secret) ? pointFromScalar(secret, true) : null;
    if (point === null) throw badSecret();
    return point;
  },
  sign(message, secret) {
    checkMessage(message);
    checkSecret(secret);
    return signSchnorr(message, secret, AUX_RAND);
  },
  verify(signature, message, publicKey) {
    if (!wellSized(signature, message, publicKey)) return false;
    try {
      return verifySchnorr(message, publicKey, signature);
    } catch {
      // tiny-secp256k1 throws for a key that is not on the curve and for a number out of range.
      return false;
    }
  },
};
