import type { Price } from "@veilgrid/protocol";
import type { Command } from "commander";
import { basisName } from "../bill/results.js";
import { between, committed, Frontier, priced } from "../world/frontier.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, kilowattHours, line, printJson, printTable, Progress, startOf, unitPrice } from "./output.js";
import { reach, withRun, withWorld } from "./stages.js";

/** A region-period's price. Micro-units per kWh, Wh. */
interface PricedPeriod {
  readonly region: number;
  readonly periodStart: string;
  readonly priceMicroPerKwh: string;
  /** "measured", or why the policy's fallback was used. */
  readonly basis: string;
  /** The region's sum; null where nothing was released. */
  readonly consumptionWh: string | null;
}

/** What the stage did, and where it stands. */
interface Priced {
  readonly priced: readonly PricedPeriod[];
  readonly committed: number;
}

const SHOWN = 20;

const NOTES = `The control center unmasks a region's sum with the released masks, and its policy makes the price of it. Mostly
that is done while "periods run" works, and nothing is left to do here.`;

/** `veilgrid price`: the prices of what is committed. */
export function addPrice(parent: Command): Command {
  return (
    addStageOptions(parent.command("price"))
      .description("run on until every committed period has its price on the ledger")
      // What stands after "import" is import's.
      .enablePositionalOptions()
      .addHelpText("after", examples(["veilgrid price --out my-run"], `${NOTES}\n\n${ON_FABRIC}`))
      .action((options: StageOptions) => price(options))
  );
}

async function price(options: StageOptions): Promise<void> {
  const { out, json = false } = options;
  await withRun(options, async (run) => {
    const result = await withWorld(run, (world) => pricePeriods(run, world, new Progress(json)));
    if (json) printJson(result);
    else print(result);
    if (!json) line(`Next:  veilgrid bill issue --out ${out}`);
  });
}

async function pricePeriods(run: Run, world: World, progress: Progress): Promise<Priced> {
  const { input, arguments: asked } = run.record;
  const of = { input, regions: asked.regions };
  const goal = await new Frontier(of, world, committed(world.view)).reached();
  const frontier = new Frontier(of, world, priced(world.view));
  const from = await frontier.reached();
  await reach(world, run, progress, async () =>
    (await frontier.reached()).every((count, i) => count >= (goal[i] as number)),
  );
  const periods: PricedPeriod[] = [];
  for (const { region, period } of between(from, await frontier.reached(), input)) {
    const found = await world.view.price(region, period);
    if (found !== undefined) periods.push(pricedPeriod(found, input.periodSeconds));
  }
  return { priced: periods, committed: goal.reduce((sum, count) => sum + count, 0) };
}

function pricedPeriod({ region, period, price: micro, basis, consumption }: Price, seconds: number): PricedPeriod {
  return {
    region,
    periodStart: startOf(period, seconds),
    priceMicroPerKwh: micro.toString(),
    basis: basisName(basis),
    consumptionWh: basis === 1 ? consumption.toString() : null,
  };
}

function print({ priced: periods, committed: count }: Priced): void {
  line(`${counted(count, "committed period")}, each with its price; ${periods.length} of them new`);
  if (periods.length === 0) return;
  printTable(
    ["region", "period", "consumption", "price of a kWh", "basis"],
    periods
      .slice(0, SHOWN)
      .map((one) => [
        String(one.region),
        one.periodStart,
        one.consumptionWh === null ? "" : kilowattHours(one.consumptionWh),
        unitPrice(one.priceMicroPerKwh),
        one.basis,
      ]),
    [0, 2, 3],
  );
  if (periods.length > SHOWN) line(`... and ${periods.length - SHOWN} more`);
}
