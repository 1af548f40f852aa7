import { paramsCodec, paramsDefaults, type Params } from "@veilgrid/protocol";
import type { RunRecord } from "./plan.js";
import type { RunKeys } from "./secrets.js";

/** The channel of a run. */
export const CHANNEL = "veilgrid";
/** 2,976 quarters need more room than 1,488 half-hours (PROTOCOL section 4, Dynamic billing). */
const QUARTER_BILL_BYTES = 196_608;

export const CC_MSP = "CCMSP";
export const KGCBP_MSP = "KGCBPMSP";

export function daMsp(index: number): string {
  return `DA${index}MSP`;
}

/** The seat in an aggregator's MSP id. */
export function seatOfMsp(msp: string): number {
  return Number(/^DA(\d+)MSP$/.exec(msp)?.[1]);
}

/** Version 1 of a run's parameter set. */
export function runParams({ arguments: asked, input }: RunRecord, keys: RunKeys): Params {
  return {
    ...paramsDefaults,
    version: 1,
    channel: CHANNEL,
    da: keys.da.map(({ key }, index) => ({ msp: daMsp(index), key })),
    cc: { msp: CC_MSP, key: keys.cc.key },
    kgcbp: { msp: KGCBP_MSP, key: keys.kgcbp.key },
    periodSeconds: input.periodSeconds,
    billBytes: input.periodSeconds === 900 ? QUARTER_BILL_BYTES : paramsDefaults.billBytes,
    minReleaseMeters: asked.minReleaseMeters,
    maxWhPerPeriod: asked.maxWhPerPeriod,
    completeness: asked.completeness,
    release: asked.release,
  };
}

export function runParamsBytes(record: RunRecord, keys: RunKeys): Uint8Array {
  return paramsCodec.encode(runParams(record, keys));
}
