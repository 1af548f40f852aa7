import type { Command } from "commander";
import { meterShape } from "../meterside/configuration.js";
import { readConfiguration } from "../process/configuration.js";
import { untilStopped } from "../process/stopping.js";
import { examples } from "./options.js";

const NOTES = `The register is a file's household, the standard profile's, or a smart meter's P1 port (serial or TCP);
docs/meters.md has the configuration. SIGTERM ends it; what it has counted is on disk.`;

/** `veilgrid meter run`: one meter as a service. */
export function addMeterRun(parent: Command): void {
  parent
    .command("run")
    .description("run one meter: read its register, send what it counts, keep the receipts")
    .requiredOption("--config <file>", "configuration, YAML")
    .addHelpText("after", examples(["veilgrid meter run --config meter.yaml"], NOTES))
    .action(({ config }: { readonly config: string }) => run(config));
}

async function run(file: string): Promise<void> {
  const stopped = untilStopped();
  const configuration = await readConfiguration(file, meterShape);
  // Loaded when it is needed: other commands do without gRPC.
  const { serveMeter } = await import("../meterside/meter-service.js");
  const meter = await serveMeter(configuration);
  try {
    await Promise.race([stopped, meter.failed]);
  } finally {
    await meter.close();
  }
}
