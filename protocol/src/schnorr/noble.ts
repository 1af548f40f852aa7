import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { AUX_RAND, badSecret, checkMessage, wellSized, type SchnorrEngine } from "./engine.js";

function checkSecret(secret: Uint8Array): void {
  if (!secp256k1.utils.isValidSecretKey(secret)) throw badSecret();
}

/** The reference: @noble/curves, pure JavaScript. The other engines are checked against it. */
export const nobleEngine: SchnorrEngine = {
  name: "noble",
  publicKey(secret) {
    checkSecret(secret);
    return schnorr.getPublicKey(secret);
  },
  publicPoint(secret) {
    checkSecret(secret);
    return secp256k1.getPublicKey(secret, true);
  },
  sign(message, secret) {
    checkMessage(message);
    checkSecret(secret);
    return schnorr.sign(message, secret, AUX_RAND);
  },
  verify(signature, message, publicKey) {
    return wellSized(signature, message, publicKey) && schnorr.verify(signature, message, publicKey);
  },
};
