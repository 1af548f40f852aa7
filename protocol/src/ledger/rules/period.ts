import type { Params } from "../../messages/params.js";
import type { Period } from "../../messages/period.js";
import type { ReadingsRecord } from "../records.js";
import { refusal } from "../refusal.js";
import type { LedgerView } from "../view.js";

/** A region-period whose readings block is committed. */
export interface CommittedPeriod {
  /** The period's own parameters: those that its epoch names. */
  readonly params: Params;
  readonly readings: ReadingsRecord;
}

/** @throws VeilgridError `no-readings-block` (retry). */
export async function committedPeriod(view: LedgerView, region: number, period: Period): Promise<CommittedPeriod> {
  const readings = await view.readings(region, period);
  if (readings === undefined) throw refusal("no-readings-block", "the period has no readings block yet", {}, true);
  // Without an epoch there would be no readings block.
  return { readings, params: (await view.periodParams(region, period)) as Params };
}
