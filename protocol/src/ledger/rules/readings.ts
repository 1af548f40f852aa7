import { BloomFilter } from "../../bloom.js";
import { comparePeriods, window } from "../../calendar.js";
import { isComplete } from "../completeness.js";
import { decodeReadingLeaf, type ReadingLeaf } from "../../messages/block.js";
import type { Epoch, EpochEntry } from "../../messages/epoch.js";
import { readingCodec } from "../../messages/reading.js";
import { verifyBody } from "../../sig.js";
import { stateKey } from "../keys.js";
import { faultRecord, readingsRecord } from "../records.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import type { Rule, RuleInput } from "./rule.js";

/** A readings block: every region-period with an epoch gets exactly one, in the order of k, possibly empty. */
export const readingsRule: Rule = async (input) => {
  const { view, block, cbh } = input;
  const { header } = block;
  const { region, period } = header;
  const next = await view.nextReadings(region);
  if (next === undefined) throw refusal("no-epoch", "no committed epoch covers a period without its block", {}, true);
  require(comparePeriods(next, period) === 0, "out-of-order", "another period's block is due", { k: period.k });
  const covering = await view.epochAt(region, period);
  if (covering === undefined) throw refusal("no-epoch", "the period's epoch is not on the ledger");
  checkTime(input, covering.epoch);
  const entry = covering.epoch.entries[period.k - covering.epoch.first.k] as EpochEntry;
  const leaves = block.leaves.map(decodeReadingLeaf);
  checkReadings(input, entry, leaves);
  const complete = isComplete(input.params, region, period, covering.epoch, leaves);
  // C: the header's `aggFault` bit must say whether the set is complete.
  require(header.aggFault === !complete, "wrong-agg-fault", "the aggFault bit contradicts the block's readings");
  const { number, aggFault, count, ts } = header;
  const writes: StateWrite[] = [
    { key: stateKey.readings(region, period), value: readingsRecord.encode({ number, cbh, aggFault, count }) },
  ];
  if (aggFault) writes.push({ key: stateKey.fault(region, period), value: faultRecord.encode({ number, ts }) });
  return { writes, chain: { lastReadings: period } };
};

function checkTime({ block, params }: RuleInput, epoch: Epoch): void {
  const { header } = block;
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
    require(verifyBody("reading", consortium, body, sig, prid, memory), "bad-signature", "a reading is forged", {
      index,
    });
  });
}
