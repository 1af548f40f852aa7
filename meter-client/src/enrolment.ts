import {
  VeilgridError,
  decodeSigned,
  deliveryCodec,
  equalBytes,
  verifySigned,
  type Delivery,
  type Params,
  type Signed,
} from "@veilgrid/protocol";

/** Who takes a delivery of keys. */
export interface Addressee {
  readonly consortium: Uint8Array;
  /** The parameter set in force: it names KGCBP's key. */
  readonly params: Params;
  /** The meter's name at KGCBP. */
  readonly meter: string;
  /** The age recipient of this device. */
  readonly device: string;
}

function refused(code: string, message: string, delivery: Delivery): VeilgridError {
  return new VeilgridError(code, message, { facts: { serial: delivery.serial }, blame: "peer" });
}

function checkAddress({ body }: Signed<Delivery>, { consortium, params, meter, device }: Addressee): void {
  if (!equalBytes(body.consortium, consortium)) {
    throw refused("wrong-consortium", "the keys are delivered for another consortium", body);
  }
  if (body.params !== params.version) {
    throw refused("wrong-params", "the delivery is of another params version than the one in force", body);
  }
  // The same bytes encrypted to another meter, or to the device that this one took the place of, are no use there.
  if (body.meter !== meter || body.device !== device) {
    throw refused("wrong-meter", "the keys are delivered to another meter", body);
  }
}

/**
 * A decrypted delivery, addressed to this meter and signed by KGCBP (PROTOCOL section 7, Delivery). Whether it is newer
 * than what the meter has is the meter's question.
 * @param plaintext Delivery ‖ sig.
 * @throws VeilgridError `malformed`, `wrong-consortium`, `wrong-params`, `wrong-meter`, `bad-signature`.
 */
export function openDelivery(plaintext: Uint8Array, addressee: Addressee): Signed<Delivery> {
  const { consortium, params } = addressee;
  const signed = decodeSigned(deliveryCodec, plaintext, params.periodSeconds);
  checkAddress(signed, addressee);
  if (verifySigned("delivery", consortium, signed, params.kgcbp.key)) return signed;
  throw refused("bad-signature", "the delivery is not signed by the key generation center", signed.body);
}
