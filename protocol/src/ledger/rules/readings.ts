import { BloomFilter } from "../../bloom.js";
import { comparePeriods, window } from "../../calendar.js";
import { decodeReadingLeaf, type ReadingLeaf } from "../../messages/block.js";
import type { Epoch, EpochEntry } from "../../messages/epoch.js";
import { readingCodec } from "../../messages/reading.js";
import { verifyBody } from "../../sig.js";
import { isComplete } from "../completeness.js";
import { stateKey } from "../keys.js";
import { faultRecord, readingsRecord } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { CoveringEpoch } from "../view.js";
import type { Rule, RuleInput } from "./rule.js";

/** A readings block: every region-period with an epoch gets exactly one, in the order of k, possibly empty. */
export const readingsRule: Rule = async (input) => {
  const { view, block, cbh, params } = input;
  const { region, period, number, aggFault, count, ts } = block.header;
  const next = await view.nextReadings(region);
  if (next === undefined) throw refusal("no-epoch", "no committed epoch covers a period without its block", {}, true);
  require(comparePeriods(next, period) === 0, "out-of-order", "another period's block is due", { k: next.k });
  // A period that is due has its epoch, whose values are there until the month is closed.
  const { epoch } = (await view.epochAt(region, period)) as CoveringEpoch;
  checkPlace(input, epoch);
  const leaves = block.leaves.map(decodeReadingLeaf);
  checkReadings(input, epoch.entries[period.k - epoch.first.k] as EpochEntry, leaves);
  // C: the header's `aggFault` bit must say whether the set is complete.
  const complete = isComplete(params, region, period, epoch, leaves);
  require(aggFault === !complete, "wrong-agg-fault", "the aggFault bit contradicts the block's readings");
  const writes: StateWrite[] = [
    { key: stateKey.readings(region, period), value: readingsRecord.encode({ number, cbh, aggFault, count }) },
  ];
  // `aggFault` in a committed readings block opens a case.
  if (aggFault) writes.push({ key: stateKey.fault(region, period), value: faultRecord.encode({ number, ts }) });
  return { writes, chain: { lastReadings: period } };
};

function checkPlace({ block, params }: RuleInput, epoch: Epoch): void {
  const { header } = block;
  // Epoch.params for that epoch's block and the readings blocks of its periods.
  require(header.params === epoch.params, "wrong-params", "the block names another version than its epoch");
  // TS is for a readings block at or after its window's end.
  const closes = BigInt(window(header.period, params).closes);
  require(header.ts >= closes, "too-early", "the period's window is still open");
}

/** B: every reading: filter and signature. That none stands twice is the block's own encoding. */
function checkReadings(input: RuleInput, { bf1 }: EpochEntry, leaves: readonly ReadingLeaf[]): void {
  const { block, params, consortium, memory } = input;
  const { region, period } = block.header;
  const filter = new BloomFilter(bf1, "veilgrid/1/bf1", params.indices);
  leaves.forEach(({ prid, rc, sig }, index) => {
    require(filter.has(prid), "not-in-filter", "a reading's PRID does not pass BF1", { index });
    const body = readingCodec.encode({ region, period, prid, rc });
    const signed = verifyBody("reading", consortium, body, sig, prid, memory);
    require(signed, "bad-signature", "a reading is forged", { index });
  });
}
