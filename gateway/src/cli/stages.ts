import { KIND, periodStart, type Header } from "@veilgrid/protocol";
import type { Run } from "../world/run.js";
import type { Stop, World } from "../world/world.js";
import type { Progress } from "./output.js";

/** Runs the world towards a goal and shows how far it is. */
export async function follow(world: World, run: Run, progress: Progress, goal: () => Promise<boolean>): Promise<Stop> {
  const { periods, periodSeconds } = run.record.input;
  const all = periods * run.record.arguments.regions;
  let done = await committedPeriods(world, run);
  return world.advance(goal, ({ kind, period, region, count }: Header) => {
    if (kind === KIND.bills) progress.say("bills are on the ledger");
    if (kind !== KIND.readings) return;
    done += 1;
    const at = new Date(periodStart(period, periodSeconds)).toISOString().slice(0, 16);
    progress.show("periods on the ledger", done, all, `${at}Z region ${region}: ${count} readings`);
  });
}

/** How many of the run's region-periods have their readings block. */
async function committedPeriods(world: World, run: Run): Promise<number> {
  const { first, periodSeconds } = run.record.input;
  let done = 0;
  for (const region of await world.view.regions()) {
    const { lastReadings } = await world.view.head(region);
    if (lastReadings === undefined) continue;
    const span = periodStart(lastReadings, periodSeconds) - periodStart(first, periodSeconds);
    done += span / (periodSeconds * 1000) + 1;
  }
  return done;
}
