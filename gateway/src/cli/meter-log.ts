import type { Command } from "commander";
import { examples, month as monthArgument } from "./options.js";
import { printJson } from "./output.js";

interface LogOptions {
  readonly config: string;
  readonly month?: number;
}

const NOTES = `What the meter has of each period that is over: its reading, the receipts of its halves, and what aggregators refused
over their signature. It names no customer. A meter forgets a month when the ledger does, closeMonths after its end.
The running meter is asked, by a socket in its data folder. "veilgrid kgcbp settle" and "veilgrid kgcbp case" read what
is printed by --log.`;

/** `veilgrid meter log`: a running meter's own log as a file. */
export function addMeterLog(parent: Command): void {
  parent
    .command("log")
    .description("print a running meter's own log as JSON")
    .requiredOption("--config <file>", "configuration of the running meter, YAML")
    .option("--month <YYYY-MM>", "only this month", monthArgument)
    .addHelpText("after", examples(["veilgrid meter log --config meter.yaml > meter.json"], NOTES))
    .action((options: LogOptions) => print(options));
}

async function print({ config, month }: LogOptions): Promise<void> {
  const [{ readConfiguration }, { meterShape }, { askDoor }] = await Promise.all([
    import("../process/configuration.js"),
    import("../meterside/configuration.js"),
    import("../process/door-client.js"),
  ]);
  const { data } = await readConfiguration(config, meterShape);
  printJson(await askDoor(data, "meter.log", { month }));
}
