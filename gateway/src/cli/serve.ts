import type { Command } from "commander";
import type { z } from "zod";
import { readConfiguration } from "../process/configuration.js";
import type { ServiceConfiguration } from "../service/configuration.js";
import type { Party } from "../service/service.js";
import { EXIT } from "./failure.js";
import { examples } from "./options.js";
import { line } from "./output.js";

interface ServeOptions {
  readonly config: string;
  readonly check?: boolean;
}

/** What tells the services of two roles apart. */
interface ServedRole<T extends ServiceConfiguration> {
  readonly description: string;
  readonly example: string;
  /** Loaded when it is needed: other commands do without gRPC. */
  readonly load: () => Promise<{
    readonly shape: (folder: string) => z.ZodType<T>;
    readonly party: (configuration: T, retire: () => void) => Promise<Party> | Party;
  }>;
}

const NOTES = `It waits for its ledger as long as it takes. SIGTERM and SIGINT stop it: answers that are on their way are given
first; a second signal ends it at once. Killed at any moment it goes on, when it is started again, where it was.
Every key but lists can be given by the environment, too: http.listen as VEILGRID_HTTP_LISTEN.
docs/services.md has them.`;

/** A `serve` command of a role. */
function addServe<T extends ServiceConfiguration>(parent: Command, role: ServedRole<T>): void {
  parent
    .command("serve")
    .description(role.description)
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--check", "only say whether the configuration is good")
    .addHelpText("after", examples([role.example, `${role.example} --check`], NOTES))
    .action(async ({ config, check }: ServeOptions) => {
      const { shape, party } = await role.load();
      const configuration = await readConfiguration(config, shape);
      if (check === true) {
        line(`${config} is good`);
        return;
      }
      const { serve } = await import("../service/serving.js");
      if ((await serve(configuration, party)) === "failed") process.exitCode = EXIT.broken;
    });
}

/** `veilgrid da serve` */
export function addDaServe(parent: Command): void {
  addServe(parent, {
    description: "run a data aggregator: takes readings, acks, votes, and leads when it is elected",
    example: "veilgrid da serve --config da.yaml",
    load: async () => {
      const [{ daShape }, { daParty }] = await Promise.all([
        import("../service/configuration.js"),
        import("../service/da.js"),
      ]);
      return { shape: daShape, party: daParty };
    },
  });
}

/** `veilgrid cc serve` */
export function addCcServe(parent: Command): void {
  addServe(parent, {
    description: "run the control center: sets the price of each period of each region",
    example: "veilgrid cc serve --config cc.yaml",
    load: async () => {
      const [{ ccShape }, { ccParty }] = await Promise.all([
        import("../service/configuration.js"),
        import("../service/cc.js"),
      ]);
      return { shape: ccShape, party: ccParty };
    },
  });
}

/** `veilgrid kgcbp serve` */
export function addKgcbpServe(parent: Command): void {
  addServe(parent, {
    description: "run KGCBP: prepares epochs, releases masks, finds faults, bills",
    example: "veilgrid kgcbp serve --config kgcbp.yaml",
    load: async () => {
      const [{ kgcbpShape }, { kgcbpParty }] = await Promise.all([
        import("../service/configuration.js"),
        import("../service/kgcbp.js"),
      ]);
      return { shape: kgcbpShape, party: kgcbpParty };
    },
  });
}
