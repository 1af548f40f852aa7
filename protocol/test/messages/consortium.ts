import { consortiumId, paramsCodec, paramsDefaults, schnorr, type Member, type Params } from "../../src/index.js";

/** The secret keys of four DAs: not secret at all. */
export const SECRETS: readonly Uint8Array[] = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte));

function member(msp: string, byte: number): Member {
  return { msp, key: schnorr.publicKey(new Uint8Array(32).fill(byte)) };
}

/** A consortium of four DAs: Q = 3. */
export const PARAMS: Params = {
  ...paramsDefaults,
  version: 1,
  channel: "veilgrid",
  da: [1, 2, 3, 4].map((byte) => member(`OrgDA${byte - 1}MSP`, byte)),
  cc: member("OrgCCMSP", 5),
  kgcbp: member("OrgKGCBPMSP", 6),
};

export const CONSORTIUM = consortiumId(paramsCodec.encode(PARAMS));
