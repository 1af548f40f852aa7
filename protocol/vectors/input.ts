import { fromHex, paramsCodec, schnorr, consortiumId, type Member, type Params, type Period } from "../src/index.js";
import { readVectors } from "./files.js";

type NumberOfParams =
  | "version"
  | "periodSeconds"
  | "submissionWindow"
  | "forwardSeconds"
  | "roundSeconds"
  | "releaseSeconds"
  | "maxSkewMs"
  | "minReleaseMeters"
  | "maxRegionMeters"
  | "maxWhPerPeriod"
  | "billBytes"
  | "bitsPerElement"
  | "indices"
  | "closeMonths"
  | "retentionMonths"
  | "verdictDays";

/** input.json as it stands. */
export interface Input {
  readonly secretKeys: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<NumberOfParams, number>> & {
    readonly channel: string;
    readonly da: readonly string[];
    readonly cc: string;
    readonly kgcbp: string;
    readonly release: number;
    readonly completeness: number;
  };
  readonly region: number;
  readonly first: Period;
  readonly periods: number;
  readonly meters: readonly { readonly bid: string; readonly monthKey: string }[];
  /** Wh by period and meter. */
  readonly consumption: readonly (readonly number[])[];
  readonly events: readonly { readonly period: number; readonly meter: number; readonly what: string }[];
  readonly consensus: {
    readonly leader: number;
    readonly voters: readonly number[];
    readonly term: number;
    readonly round: number;
    readonly ts: { readonly epoch: number; readonly readings: readonly number[] };
  };
  /** Micro-units per kWh by period. */
  readonly prices: readonly number[];
  readonly tariff: object;
  /** A weight for each half-hour of a day: the tariff's profile where missing periods are estimated. */
  readonly profile: readonly number[];
}

/** The consortium of the input: who signs what, under which parameters. */
export interface Consortium {
  readonly params: Params;
  readonly paramsBytes: Uint8Array;
  readonly id: Uint8Array;
  /** Secret keys by the order of `da`. */
  readonly daSecrets: readonly Uint8Array[];
  readonly kgcbpSecret: Uint8Array;
}

export function readInput(): Input {
  return readVectors("input.json") as Input;
}

function secretOf(input: Input, name: string): Uint8Array {
  return fromHex(input.secretKeys[name] ?? "");
}

function memberOf(input: Input, msp: string, name: string): Member {
  return { msp, key: schnorr.publicKey(secretOf(input, name)) };
}

/** The parameter set of the input with the members' public keys. */
export function consortiumOf(input: Input): Consortium {
  const { da, cc, kgcbp, release, completeness, ...rest } = input.params;
  const params: Params = {
    ...rest,
    da: da.map((msp, i) => memberOf(input, msp, `da${i}`)),
    cc: memberOf(input, cc, "cc"),
    kgcbp: memberOf(input, kgcbp, "kgcbp"),
    release: release === 1 ? "upfront" : "after-commit",
    completeness: completeness === 1 ? "sum" : "set",
  };
  const paramsBytes = paramsCodec.encode(params);
  const daSecrets = da.map((_, i) => secretOf(input, `da${i}`));
  return { params, paramsBytes, id: consortiumId(paramsBytes), daSecrets, kgcbpSecret: secretOf(input, "kgcbp") };
}
