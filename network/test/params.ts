import { paramsCodec, paramsDefaults, schnorr, type Params } from "@veilgrid/protocol";
import { aggregators, CC, CHANNEL, KGCBP, type Organisation } from "../src/consortium.js";

/** Version 1 of the parameter set for a network of a size, with keys that everybody can know. */
export function networkParams(
  size: number,
  changes: Partial<Pick<Params, "maxWhPerPeriod" | "maxRegionMeters">> = {},
): Uint8Array {
  const member = ({ msp }: Organisation, i: number): { msp: string; key: Uint8Array } => ({
    msp,
    key: schnorr.publicKey(new Uint8Array(32).fill(i + 1)),
  });
  return paramsCodec.encode({
    ...paramsDefaults,
    ...changes,
    version: 1,
    channel: CHANNEL,
    da: aggregators(size).map(member),
    cc: member(CC, 100),
    kgcbp: member(KGCBP, 101),
  });
}
