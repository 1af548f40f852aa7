import {
  addPeriods,
  comparePeriods,
  isVeilgridError,
  paramsCodec,
  VeilgridError,
  type LedgerView,
  type Params,
} from "@veilgrid/protocol";
import { KGCBP, type Aggregator, type Organisation } from "./consortium.js";
import { deployedContent } from "./deploy.js";
import { withView } from "./ledger-view.js";
import { peerName } from "./peers.js";
import { processStatus } from "./process.js";
import type { Site } from "./site.js";

/** The peer that tells what the ledger says: KGCBP's, which serves no aggregator, or else one that stays. */
function askedPeer(site: Site, but: Aggregator): Organisation {
  const runs = (one: Organisation): boolean => processStatus(site.folder, peerName(one)).state === "running";
  const others = site.aggregators.filter(({ name }) => name !== but.name);
  return [KGCBP, ...others].find(runs) ?? KGCBP;
}

function names({ da }: Params, { msp }: Aggregator): boolean {
  return da.some((member) => member.msp === msp);
}

/** How many periods of a region have an epoch and no block yet, and are ruled by a version that names the aggregator. */
async function periodsLeft(view: LedgerView, region: number, aggregator: Aggregator): Promise<number> {
  const { lastCovered } = await view.head(region);
  const { periodSeconds } = await view.currentParams();
  let period = await view.nextReadings(region);
  let left = 0;
  while (period !== undefined && lastCovered !== undefined && comparePeriods(period, lastCovered) <= 0) {
    const covering = await view.epochAt(region, period);
    if (covering !== undefined && names(await view.params(covering.epoch.params), aggregator)) left += 1;
    period = addPeriods(period, 1, periodSeconds);
  }
  return left;
}

/** The parameter set in force: the ledger's or, before it is set up, the one that the chaincode is bound to. */
async function paramsInForce(
  view: LedgerView,
  bound: Uint8Array,
): Promise<{ params: Params; regions: readonly number[] }> {
  try {
    return { params: await view.currentParams(), regions: await view.regions() };
  } catch (error) {
    if (isVeilgridError(error, "not-set-up")) return { params: paramsCodec.decode(bound), regions: [] };
    throw error;
  }
}

function stillMember({ name, number, msp }: Aggregator, version: number): VeilgridError {
  return new VeilgridError(
    "still-a-member",
    `${name} is a member by version ${version} of the parameter set: a version without it has to be in force first ` +
      `(\`veilgrid params propose FILE --remove-da ${number}\`, then \`params approve\`)`,
    { facts: { msp, version }, blame: "caller" },
  );
}

/**
 * Whether an aggregator may go: "a removed DA serves until those blocks are in" (PROTOCOL section 4, Setup), those of the
 * epochs that began under a version that names it.
 * @throws VeilgridError `still-a-member`, `still-serving` (retry: time heals it), `ledger-unavailable`.
 */
export async function requireReleased(site: Site, aggregator: Aggregator): Promise<void> {
  const content = deployedContent(site);
  if (content === undefined) return;
  await withView(site, askedPeer(site, aggregator), async (view) => {
    const { params, regions } = await paramsInForce(view, content.params);
    if (names(params, aggregator)) throw stillMember(aggregator, params.version);
    for (const region of regions) {
      const left = await periodsLeft(view, region, aggregator);
      if (left === 0) continue;
      throw new VeilgridError(
        "still-serving",
        `${aggregator.name} serves until the blocks of its epochs are in: ${left} periods of region ${region} are left`,
        { facts: { msp: aggregator.msp, region, periods: left }, blame: "caller", retry: true },
      );
    }
  });
}
