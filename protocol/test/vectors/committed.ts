import { readVectors } from "../../vectors/files.js";

/** A block in from-input.json, all of it hex. */
export interface BlockJson {
  readonly headerBytes: string;
  readonly cbh: string;
  readonly scbh: string;
  readonly block: string;
  readonly proposal: string;
  readonly certificate: string;
}

export interface BillJson {
  readonly consumptions: readonly (number | null)[];
  readonly costsNano: readonly number[];
  readonly tierCostsNano: readonly number[];
  readonly lines: readonly { readonly name: string; readonly nano: number; readonly shown: number }[];
  readonly total: number;
}

/** from-input.json: bytes in hex; all numbers but masks and sums are below 2^53 in it. */
export interface FromInput {
  readonly consortium: string;
  readonly paramsBytes: string;
  readonly meters: readonly {
    readonly seeds: readonly string[];
    readonly run: readonly { readonly prid: readonly string[]; readonly mask: readonly string[] }[];
  }[];
  readonly epochBytes: string;
  readonly seedRoot: string;
  readonly pridLists: readonly (readonly string[])[];
  readonly T: readonly string[];
  readonly genesis: string;
  readonly genesisHash: string;
  readonly epochBlock: BlockJson;
  readonly readingsBlocks: readonly BlockJson[];
  readonly readings: readonly (readonly (readonly {
    readonly body: string;
    readonly sig: string;
    readonly readingHash: string;
  }[])[])[];
  readonly masks: readonly { readonly maskBytes: string; readonly sumOfCounted: string }[];
  readonly verdicts: readonly {
    readonly caseKey: string;
    readonly caseId: string;
    readonly ref: string;
    readonly verdictBytes: string;
  }[];
  readonly bills: readonly BillJson[];
  readonly missing: readonly {
    readonly consumptions: readonly number[];
    readonly total: number;
    readonly deltaNano: number;
  }[];
}

export const VECTORS = readVectors("from-input.json") as FromInput;
