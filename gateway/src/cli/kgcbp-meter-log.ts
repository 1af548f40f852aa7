import { addPeriods, periodEnd, VeilgridError, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import { meterLogJson, type LoggedPeriod } from "../input/meter-log.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples, month as monthArgument } from "./options.js";
import { printJson } from "./output.js";
import { withRun, withWorld } from "./stages.js";

interface LogOptions extends StageOptions {
  readonly month?: number;
}

const NOTES = `What the meter has of each period that is over: its reading, the receipts of its halves, and what aggregators refused
over their signature. It names no customer. A meter forgets a month when the ledger does, closeMonths after its end.
"veilgrid kgcbp settle" and "veilgrid kgcbp case" read such a file by --log, also that of a real device.`;

/** `veilgrid kgcbp meter log`: a meter's own log as a file. */
export function addKgcbpMeterLog(parent: Command): void {
  addStageOptions(parent.command("log").argument("<meter>", "the meter's name"))
    .description("print a meter's own log as JSON, as it is read off the device")
    .option("--month <YYYY-MM>", "only this month", monthArgument)
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid kgcbp meter log S03 --out my-run > S03.json",
          "veilgrid kgcbp meter log S03 --month 2013-04 --out my-run",
        ],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((meter: string, options: LogOptions) => print(meter, options));
}

async function print(meter: string, options: LogOptions): Promise<void> {
  await withRun(options, async (run) => {
    const logged = await withWorld(run, (world) => loggedBy(meter, run, world, options.month));
    printJson(meterLogJson({ meter, of: (period) => logged.get(period) }, logged.keys()));
  });
}

/** @throws VeilgridError `unknown-meter`. */
async function loggedBy(
  meter: string,
  { record }: Run,
  world: World,
  month: number | undefined,
): Promise<Map<Period, LoggedPeriod>> {
  if (!world.meters().some((one) => one.meter === meter)) {
    throw new VeilgridError("unknown-meter", `the run has no meter ${meter}`, { facts: { meter }, blame: "caller" });
  }
  const { first, periods, periodSeconds } = record.input;
  const logged = new Map<Period, LoggedPeriod>();
  for (let n = 0; n < periods; n += 1) {
    const period = addPeriods(first, n, periodSeconds);
    if (periodEnd(period, periodSeconds) > world.clock.now()) break;
    if (month !== undefined && period.month !== month) continue;
    const log = await world.meterLog(meter, period);
    if (log !== undefined) logged.set(period, log);
  }
  return logged;
}
