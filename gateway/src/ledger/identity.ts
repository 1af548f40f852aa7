import { utf8 } from "@veilgrid/protocol";
import { certificateOf } from "./certificate.js";
import { msp as protos } from "./fabric.js";

/** An organisation's client as contracts see it. */
export interface Identity {
  readonly msp: string;
  /** A self-signed X.509 certificate, PEM. */
  readonly certificate: string;
  /** Fabric's SerializedIdentity: MSP id and certificate, as a signature header carries it. */
  readonly creator: Uint8Array;
}

/**
 * The identity of an organisation's client on the embedded ledger: a certificate that fabric-shim's ClientIdentity
 * reads, the same in every run. Its key follows from the MSP id, so it protects nothing: who calls an embedded ledger
 * is in its process already. On Fabric the organisation's own CA issues certificates.
 */
export function identityOf(msp: string): Identity {
  const certificate = certificateOf(msp);
  const identity = new protos.SerializedIdentity();
  identity.setMspid(msp);
  identity.setIdBytes(utf8(certificate));
  return { msp, certificate, creator: identity.serializeBinary() };
}
