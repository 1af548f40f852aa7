import { periodEnd, periodsBetween, addPeriods, epochHead, decodeLeaf, type LedgerView } from "@veilgrid/protocol";
import type { Command } from "commander";
import { monthsOf } from "../world/plan.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson, Progress, startOf } from "./output.js";
import { reach, withRun, withWorld } from "./stages.js";

/** An epoch on the ledger. */
interface NewEpoch {
  readonly region: number;
  /** Number of its block on the region's chain. */
  readonly block: string;
  readonly first: string;
  readonly periods: number;
  readonly meters: number;
}

const NOTES = `An epoch holds the filters of a day's periods, and is prepared twelve hours ahead. Whatever else is due
until then (earlier periods, their masks and prices) is done on the way.`;

/** `veilgrid epochs`: the next epoch of every region. */
export function addEpochs(parent: Command): void {
  addStageOptions(parent.command("epochs"))
    .description("run on until the next epoch of every region is on the ledger")
    .addHelpText("after", examples(["veilgrid epochs --out my-run"], `${NOTES}\n\n${ON_FABRIC}`))
    .action((options: StageOptions) => epochs(options));
}

async function epochs(options: StageOptions): Promise<void> {
  const { out, json = false } = options;
  await withRun(options, async (run) => {
    const found = await withWorld(run, (world) => nextEpochs(run, world, new Progress(json)));
    if (json) printJson({ epochs: found });
    else print(found);
    if (!json) line(`Next:  veilgrid readings send --out ${out}`);
  });
}

async function nextEpochs(run: Run, world: World, progress: Progress): Promise<NewEpoch[]> {
  const { first, periods, periodSeconds } = run.record.input;
  const before = await covered(run, world.view);
  const over = periodEnd(addPeriods(first, periods - 1, periodSeconds), periodSeconds);
  await reach(world, run, progress, async () => {
    const now = await covered(run, world.view);
    return world.clock.now() >= over || now.every((count, i) => count >= periods || count > (before[i] as number));
  });
  const all: NewEpoch[] = [];
  for (const [i, count] of before.entries()) all.push(...(await since(run, world, 1 + i, count)));
  return all;
}

/** How many of the run's periods lie before the end of each region's last epoch. */
async function covered({ record }: Run, view: LedgerView): Promise<number[]> {
  const { first, periodSeconds } = record.input;
  const counts: number[] = [];
  for (let region = 1; region <= record.arguments.regions; region += 1) {
    const { lastCovered } = await view.head(region);
    counts.push(lastCovered === undefined ? 0 : periodsBetween(first, lastCovered, periodSeconds) + 1);
  }
  return counts;
}

/** The epochs of a region that begin at the run's nth period or later. */
async function since({ record }: Run, { view }: World, region: number, n: number): Promise<NewEpoch[]> {
  const { first, periodSeconds } = record.input;
  const found: NewEpoch[] = [];
  for (const month of monthsOf(record)) {
    for (const { k, periods, number } of await view.epochs(region, month)) {
      const begins = { month, k };
      if (periodsBetween(first, begins, periodSeconds) < n) continue;
      const leaf = (await view.block(region, number))?.block.leaves[0];
      const meters = leaf === undefined ? 0 : epochHead(decodeLeaf(leaf).body).meters;
      found.push({ region, block: number.toString(), first: startOf(begins, periodSeconds), periods, meters });
    }
  }
  return found;
}

function print(found: readonly NewEpoch[]): void {
  if (found.length === 0) line("every period of the run has its epoch already");
  for (const { region, block, first, periods, meters } of found) {
    line(`region ${region}: ${counted(periods, "period")} from ${first}, ${counted(meters, "meter")} (block ${block})`);
  }
}
