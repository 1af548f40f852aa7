import { comparePeriods, monthStart, periodEnd, periodStart } from "../../calendar.js";
import { epochCodec, type Epoch } from "../../messages/epoch.js";
import { stateKey } from "../keys.js";
import { epochEntries, regionList } from "../records.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import { issuedBodies, type Rule, type RuleInput } from "./rule.js";

const DAY_MS = 86_400_000;

/** An epoch block: the filters and set commitments of a region's next periods (PROTOCOL section 4, Filter generation). */
export const epochRule: Rule = async (input) => {
  const { view, block, params, current, head } = input;
  const { header } = block;
  // The ledger accepts the version current and the one before.
  const accepted = params.version === current.version || params.version === current.version - 1;
  require(accepted, "wrong-params", "the epoch names a version that is no longer accepted", { params: params.version });
  const epoch = issuedBodies(input, "epoch", epochCodec(params), params.kgcbp.key)[0] as Epoch;
  require(epoch.region === header.region, "wrong-region", "the epoch is of another region");
  require(epoch.params === header.params, "wrong-params", "header and epoch name different versions");
  require(comparePeriods(epoch.first, header.period) === 0, "wrong-period", "the header names another first period");
  await checkCoverage(input, epoch);
  const before = await view.epochs(epoch.region, epoch.first.month);
  const entry = { k: epoch.first.k, periods: epoch.periods, number: header.number };
  const last = { month: epoch.first.month, k: epoch.first.k + epoch.periods - 1 };
  const writes: StateWrite[] = [
    { key: stateKey.epochs(epoch.region, epoch.first.month), value: epochEntries.encode([...before, entry]) },
  ];
  if (head.firstCovered === undefined) {
    const regions = await view.regions();
    writes.push({ key: stateKey.regions, value: regionList.encode([...regions, epoch.region]) });
  }
  return { writes, chain: { firstCovered: head.firstCovered ?? epoch.first, lastCovered: last } };
};

async function checkCoverage({ view, block, params, head }: RuleInput, epoch: Epoch): Promise<void> {
  const { periodSeconds, maxRegionMeters } = params;
  require(epoch.meters <= maxRegionMeters, "too-many-meters", "the region has more meters than the parameters allow", {
    meters: epoch.meters,
  });
  // An epoch begins after the last period of the region's last committed epoch.
  const after = head.lastCovered === undefined || comparePeriods(head.lastCovered, epoch.first) < 0;
  require(after, "overlapping-epoch", "an epoch already covers its first period");
  // The consecutive periods of one UTC day.
  const start = periodStart(epoch.first, periodSeconds) - monthStart(epoch.first.month);
  const lastStart = start + (epoch.periods - 1) * periodSeconds * 1000;
  require(Math.floor(start / DAY_MS) ===
    Math.floor(lastStart / DAY_MS), "wrong-period", "the epoch leaves its UTC day");
  // TS is for an epoch before the end of its first period.
  const ends = BigInt(periodEnd(epoch.first, periodSeconds));
  require(block.header.ts < ends, "too-late", "the epoch's first period is over");
  // A period that chain 0 already priced as having no epoch keeps having none.
  const priced = await view.price(epoch.region, epoch.first);
  require(priced === undefined, "too-late", "the epoch's first period is priced as having no epoch");
}
