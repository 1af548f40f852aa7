import { paramsDefaults, schnorr, sha256, utf8, type Member, type Params } from "@veilgrid/protocol";
import { CC, CHANNEL, KGCBP, aggregators } from "../consortium.js";

/** Who an example's consortium is: the channel, and the MSP ids in their roles. */
export interface ExampleMembers {
  readonly channel: string;
  /** In the order of their index; four or more are to the protocol's taste. */
  readonly da: readonly string[];
  readonly cc: string;
  readonly kgcbp: string;
}

/** The organisations of a network of four. */
export const NETWORK_MEMBERS: ExampleMembers = {
  channel: CHANNEL,
  da: aggregators(4).map(({ msp }) => msp),
  cc: CC.msp,
  kgcbp: KGCBP.msp,
};

/** The key that a name gives, which everybody can compute: for trials, never for homes. */
export function knownSecret(name: string): Uint8Array {
  return sha256(utf8(`veilgrid example, known to everybody: ${name}`));
}

/** Who signs for a member: keys are those of roles, since one organisation may have several. */
export const SIGNER = { da: (index: number) => `DA ${index}`, cc: "CC", kgcbp: "KGCBP" } as const;

/** Version 1 of the parameter set of such a consortium: the defaults, and 5 meters make a release. */
export function exampleParams({ channel, da, cc, kgcbp }: ExampleMembers): Params {
  const member = (msp: string, name: string): Member => ({ msp, key: schnorr.publicKey(knownSecret(name)) });
  return {
    ...paramsDefaults,
    version: 1,
    channel,
    da: da.map((msp, index) => member(msp, SIGNER.da(index))),
    cc: member(cc, SIGNER.cc),
    kgcbp: member(kgcbp, SIGNER.kgcbp),
    minReleaseMeters: 5,
  };
}
