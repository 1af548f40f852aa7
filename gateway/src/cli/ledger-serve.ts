import type { Command } from "commander";
import { readConfiguration } from "../process/configuration.js";
import { untilStopped } from "../process/stopping.js";
import { ledgerServiceShape } from "../remote/configuration.js";
import { examples } from "./options.js";

const NOTES = `All endorsers are in this one process, under one operator: it is for development and for trying things out. That no
single party can change the ledger is claimed of Fabric alone.`;

/** `veilgrid ledger serve`: the embedded ledger for processes that share it. */
export function addLedgerServe(parent: Command): void {
  parent
    .command("serve")
    .description("serve an embedded ledger to the consortium's processes, each caller by its certificate")
    .requiredOption("--config <file>", "configuration, YAML")
    .addHelpText("after", examples(["veilgrid ledger serve --config ledger/ledger.yaml"], NOTES))
    .action(({ config }: { readonly config: string }) => serve(config));
}

async function serve(file: string): Promise<void> {
  const stopped = untilStopped();
  const configuration = await readConfiguration(file, ledgerServiceShape);
  // Loaded when it is needed: other commands do without gRPC.
  const { ledgerServiceLog, serveLedger } = await import("../remote/serving.js");
  const log = ledgerServiceLog(configuration);
  try {
    const served = await serveLedger(configuration, log);
    log.log("info", "stopping", { signal: await stopped });
    await served.close();
  } finally {
    await log.close();
  }
}
