import type { Command } from "commander";
import { addPlaceOptions, type PlaceOptions } from "./ledger-options.js";
import { examples, jsonOption } from "./options.js";
import { concluded, showOutcome, type EndOptions } from "./outcome.js";
import { Progress } from "./output.js";
import { addRunOptions, type RunOptions } from "./run-options.js";
import { withAskedRun } from "./stages.js";

interface DemoOptions extends RunOptions, PlaceOptions, EndOptions {
  readonly json?: boolean;
}

const NOTES = `The same command again resumes what was interrupted, and prints the result of what is finished.
Other arguments are refused, unless --force has the run start anew. Without a quorum of aggregators the
run waits: it says why and ends with exit code 75, and the same command again goes on.

On Fabric the run's parameters are deployed first: "veilgrid network params" begins the run and writes them. With
no option that says what the run is, a run on Fabric that was begun in the folder is taken up.`;

/** `veilgrid demo`: billing months from meters to verified bills. */
export function addDemo(parent: Command): void {
  addPlaceOptions(addRunOptions(parent.command("demo")))
    .description("run billing months, from meter readings to verified bills, with all roles in one process")
    .option("--no-audit", "do not re-verify the whole ledger at the end")
    .option("--no-memory", "verify every signature each time, as separate processes would")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid demo",
          "veilgrid demo --readings data/sgsc/sgsc50_2013-04-08_30d_wide.csv --days 1 --out my-run",
          "veilgrid demo --meters 12 --regions 1 --fault down:1@10 --seed 7 --out with-a-fault",
          "veilgrid demo --ledger fabric --profile .fabric/profile.json --out my-run",
        ],
        NOTES,
      ),
    )
    .action((options: DemoOptions) => demo(options));
}

async function demo(options: DemoOptions): Promise<void> {
  const json = options.json === true;
  await withAskedRun(options, async (run) => {
    showOutcome(run, await concluded(run, new Progress(json), options), json);
  });
}
