import type { Command } from "commander";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { concluded, showOutcome } from "./outcome.js";
import { Progress } from "./output.js";
import { withRun } from "./stages.js";

const NOTES = `A month is billed once every period with an epoch has its readings block and its price, and the month is over:
what is left of the run is run first. DIR/bills.csv and DIR/periods.csv are written, as by "veilgrid demo".`;

/** `veilgrid bill issue`: the last stage of a run. */
export function addBillIssue(parent: Command): void {
  addStageOptions(parent.command("issue"))
    .description("run on until the bills of the run's months are issued, verify them and write the results")
    .addHelpText(
      "after",
      examples(
        ["veilgrid bill issue --out my-run", "veilgrid bill issue --out my-run --json"],
        `${NOTES}\n\n${ON_FABRIC}`,
      ),
    )
    .action((options: StageOptions) => issue(options));
}

async function issue(options: StageOptions): Promise<void> {
  const { json = false } = options;
  await withRun(options, async (run) => {
    showOutcome(run, await concluded(run, new Progress(json), { memory: true, audit: false }), json);
  });
}
