import type { LedgerView } from "@veilgrid/protocol";
import type { Command } from "commander";
import { between, Frontier, released, type RegionPeriod } from "../world/frontier.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples, whole } from "./options.js";
import { line, printJson, printTable, Progress, startOf } from "./output.js";
import { reach, withRun, withWorld } from "./stages.js";

interface PeriodsOptions extends StageOptions {
  readonly count?: number;
}

/** A region-period with its readings block. */
interface CommittedPeriod {
  readonly region: number;
  readonly periodStart: string;
  /** Number of the readings block on the region's chain; null where no epoch covers the period. */
  readonly block: string | null;
  readonly readings: number;
  readonly aggFault: boolean;
  /** What became of the sum; "with-epoch" in mode upfront. */
  readonly masks: "released" | "too-few" | "none" | "with-epoch";
}

const SHOWN = 20;

const NOTES = `An aggregator leads, the others vote, and a quorum of votes puts the block on the ledger; then KGCBP releases the
masks' sum of exactly the readings in it. Meters and control center work meanwhile.`;

/** `veilgrid periods run`: readings blocks and mask releases. */
export function addPeriodsRun(parent: Command): void {
  addStageOptions(parent.command("run"))
    .description("run on until more readings blocks and their mask releases are on the ledger")
    .option("--count <n>", "how many region-periods (default: all that are left)", whole(1))
    .addHelpText(
      "after",
      examples(
        ["veilgrid periods run --out my-run", "veilgrid periods run --count 2 --out my-run"],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((options: PeriodsOptions) => runPeriods(options));
}

async function runPeriods(options: PeriodsOptions): Promise<void> {
  const { out, json = false, count } = options;
  await withRun(options, async (run) => {
    const done = await withWorld(run, (world) => morePeriods(run, world, count, new Progress(json)));
    if (json) printJson({ periods: done });
    else print(done);
    if (!json) line(`Next:  veilgrid price --out ${out}`);
  });
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

async function morePeriods(
  run: Run,
  world: World,
  count: number | undefined,
  progress: Progress,
): Promise<CommittedPeriod[]> {
  const { input, arguments: asked } = run.record;
  const frontier = new Frontier({ input, regions: asked.regions }, world, released(world.view));
  const from = await frontier.reached();
  const all = input.periods * asked.regions;
  const goal = count === undefined ? all : Math.min(total(from) + count, all);
  await reach(world, run, progress, async () => total(await frontier.reached()) >= goal);
  const periods: CommittedPeriod[] = [];
  for (const at of between(from, await frontier.reached(), input)) {
    periods.push(await committedPeriod(world.view, at, input.periodSeconds));
  }
  return periods;
}

async function committedPeriod(
  view: LedgerView,
  { region, period }: RegionPeriod,
  periodSeconds: number,
): Promise<CommittedPeriod> {
  const readings = await view.readings(region, period);
  return {
    region,
    periodStart: startOf(period, periodSeconds),
    block: readings?.number.toString() ?? null,
    readings: readings?.count ?? 0,
    aggFault: readings?.aggFault ?? false,
    masks: await masksOf(view, { region, period }),
  };
}

async function masksOf(view: LedgerView, { region, period }: RegionPeriod): Promise<CommittedPeriod["masks"]> {
  const mask = await view.mask(region, period);
  if (mask !== undefined) return mask.status === 1 ? "released" : "too-few";
  return (await view.currentParams()).release === "upfront" ? "with-epoch" : "none";
}

function print(done: readonly CommittedPeriod[]): void {
  if (done.length === 0) {
    line("every period of the run is on the ledger already");
    return;
  }
  printTable(
    ["region", "period", "block", "readings", "aggregation fault", "masks"],
    done
      .slice(0, SHOWN)
      .map((one) => [
        String(one.region),
        one.periodStart,
        one.block ?? "no epoch",
        String(one.readings),
        one.aggFault ? "yes" : "no",
        one.masks,
      ]),
    [0, 2, 3],
  );
  if (done.length > SHOWN) line(`... and ${done.length - SHOWN} more`);
}
