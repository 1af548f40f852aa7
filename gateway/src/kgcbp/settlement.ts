import { Reader, Writer, type ReadingState } from "@veilgrid/protocol";
import type { Outcome } from "./tally.js";

const STATES: readonly ReadingState[] = ["complete", "silent", "half", "repeated", "implausible"];

/**
 * A period's settlement as KGCBP keeps it, so that a bill needs no second derivation of 2,880 keys: nine bytes a meter,
 * in the order of the epoch's members. It is only a memory: the ledger and the month keys give it again.
 */
export function encodeSettlement(outcomes: readonly Outcome[]): Uint8Array {
  const writer = new Writer();
  for (const outcome of outcomes) {
    writer.u8(STATES.indexOf(outcome.state)).i64(outcome.state === "complete" ? outcome.consumption : 0n);
  }
  return writer.bytes();
}

/** @throws VeilgridError `malformed`. */
export function decodeSettlement(bytes: Uint8Array): Outcome[] {
  const reader = new Reader(bytes, "settlement");
  const outcomes: Outcome[] = [];
  while (reader.left > 0) {
    const state = STATES[reader.u8()];
    const consumption = reader.i64();
    if (state === undefined) throw reader.refuse("an unknown state");
    outcomes.push(state === "complete" ? { state, consumption } : { state });
  }
  return outcomes;
}
