import type { Command } from "commander";
import { addStageOptions, unfit, type StageOptions } from "./ledger-options.js";

/** What a command takes that works on a run's folder, or has a running service work. */
export interface ServedOptions extends StageOptions {
  readonly config?: string;
}

/** Adds --out and the like, or --config in their place. @param whose what runs: "KGCBP", "aggregator", "service". */
export function addPlaceOf(command: Command, whose: string): Command {
  return addStageOptions(command)
    .option("--config <file>", `configuration of a running ${whose}, in place of a folder`)
    .hook("preAction", (_, own) => {
      if (own.getOptionValue("config") === undefined) return;
      for (const name of ["out", "ledger", "profile"]) {
        if (own.getOptionValueSource(name) === "cli") throw unfit(`--config stands in place of --${name}`);
      }
    });
}
