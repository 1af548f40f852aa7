import { comparePeriods, periodEnd } from "../../calendar.js";
import { epochCodec, type Epoch } from "../../messages/epoch.js";
import { stateKey } from "../keys.js";
import { epochEntries, regionList } from "../records.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import { issuedBodies, type Rule, type RuleInput } from "./rule.js";

/**
 * An epoch block: the filters and set commitments of a region's next periods (PROTOCOL section 4, Filter generation).
 * That the header is the epoch's, that its periods are of one UTC day, its number of meters and its modes are the
 * encoding's own rules.
 */
export const epochRule: Rule = async (input) => {
  const { view, block, params, current, head } = input;
  const { number } = block.header;
  // The ledger accepts the current version and the one before.
  const accepted = params.version === current.version || params.version === current.version - 1;
  require(accepted, "wrong-params", "the epoch names a version that is no longer accepted", { params: params.version });
  const epoch = issuedBodies(input, "epoch", epochCodec(params), params.kgcbp.key)[0] as Epoch;
  await checkCoverage(input, epoch);
  const { region, first, periods } = epoch;
  const before = await view.epochs(region, first.month);
  const entries = epochEntries.encode([...before, { k: first.k, periods, number }]);
  const writes: StateWrite[] = [{ key: stateKey.epochs(region, first.month), value: entries }];
  if (head.firstCovered === undefined) {
    const regions = await view.regions();
    writes.push({ key: stateKey.regions, value: regionList.encode([...regions, region]) });
  }
  const lastCovered = { month: first.month, k: first.k + periods - 1 };
  return { writes, chain: { firstCovered: head.firstCovered ?? first, lastCovered } };
};

async function checkCoverage({ view, block, params, head }: RuleInput, { region, first }: Epoch): Promise<void> {
  // An epoch begins after the last period of the region's last committed epoch.
  const after = head.lastCovered === undefined || comparePeriods(head.lastCovered, first) < 0;
  require(after, "overlapping-epoch", "an epoch already covers its first period");
  // TS is for an epoch before the end of its first period.
  const ends = BigInt(periodEnd(first, params.periodSeconds));
  require(block.header.ts < ends, "too-late", "the epoch's first period is over");
  // One price for a region-period: what chain 0 priced as having no epoch keeps having none. Only the first period can
  // be priced by then, within the skew of two chains' clocks.
  const priced = await view.price(region, first);
  require(priced === undefined, "too-late", "the epoch's first period is priced as having no epoch");
}
