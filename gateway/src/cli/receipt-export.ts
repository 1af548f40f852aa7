import { VeilgridError, monthName } from "@veilgrid/protocol";
import type { Command } from "commander";
import { receiptsJson } from "../input/receipt-file.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { examples } from "./options.js";
import { printJson } from "./output.js";
import { calendarOf, periodArgument, PERIODS_ARE } from "./period-argument.js";
import { keptReceipts } from "./receipt-source.js";
import { withRun, withWorld } from "./stages.js";

interface ExportOptions extends StageOptions {
  readonly period: string;
}

const NOTES = `A meter keeps a receipt for each of its two half-readings: a quorum of aggregators signed that the half will be in the
period's block. The file names no meter and no customer; whoever has it can hold the aggregators to it.`;

/** `veilgrid receipt export`: a period's receipts as a file. */
export function addReceiptExport(parent: Command): void {
  addStageOptions(parent.command("export").argument("<meter>", "the meter, as the input calls it"))
    .description("print the receipts that a meter has of a period, as JSON")
    .requiredOption("--period <period>", "which period")
    .addHelpText(
      "after",
      examples(
        ["veilgrid receipt export P0001 --period 2013-04-08T18:30Z --out my-run > receipt.json"],
        `${NOTES}\n\n${PERIODS_ARE}\n\n${ON_FABRIC}`,
      ),
    )
    .action((meter: string, options: ExportOptions) => exportReceipts(meter, options));
}

async function exportReceipts(meter: string, options: ExportOptions): Promise<void> {
  await withRun(options, async (run) => {
    const period = periodArgument(options.period, calendarOf(run));
    const proofs = await withWorld(run, (world) => keptReceipts(world, meter, period));
    const { month, k } = period;
    if (proofs.length > 0) printJson(receiptsJson(proofs));
    else {
      throw new VeilgridError("no-receipt", `meter ${meter} has no receipt of the period`, {
        facts: { meter, month: monthName(month), k },
        blame: "caller",
      });
    }
  });
}
