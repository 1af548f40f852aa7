import type { Command } from "commander";
import { bindingVersion, makeChaincodeFolder } from "./chaincode-folder.js";
import { NETWORK_MEMBERS, type ExampleMembers } from "./examples/members.js";
import { writeExamples } from "./examples/write.js";
import { readParams } from "./params-file.js";
import { line } from "./print.js";
import { shellEnvironment } from "./shell.js";
import { Site } from "./site.js";

function addFolder(fabric: Command): void {
  fabric
    .command("folder")
    .description("makes a chaincode folder that needs nothing of this repository, and tells the version that binds it")
    .requiredOption("--params <file>", "version 1 of the parameter set, as bytes")
    .requiredOption("--out <folder>", "the folder to make")
    .action(({ params, out }: { params: string; out: string }) => {
      const bytes = readParams(params);
      makeChaincodeFolder(bytes, out);
      line(bindingVersion(bytes));
    });
}

function addExamples(fabric: Command): void {
  const { channel, da, cc, kgcbp } = NETWORK_MEMBERS;
  fabric
    .command("examples")
    .description("writes a parameter set and small transactions, signed with keys that everybody can compute")
    .requiredOption("--out <folder>", "where to write")
    .option("--channel <name>", "the channel of the parameter set", channel)
    .option("--da <msp...>", "MSP ids of the data aggregators, four or more", [...da])
    .option("--cc <msp>", "MSP id of the control center", cc)
    .option("--kgcbp <msp>", "MSP id of the key generation center and billing provider", kgcbp)
    .action(async ({ out, ...members }: ExampleMembers & { out: string }) => {
      for (const name of await writeExamples(out, members)) line(name);
    });
}

function addShell(fabric: Command): void {
  fabric
    .command("env")
    .description("prints lines for bash after which Fabric's command `peer` acts for an organisation")
    .argument("<organisation>", "such as da0, cc or kgcbp")
    .action(async (name: string, _: unknown, command: Command) => {
      const { state } = command.optsWithGlobals<{ state: string }>();
      process.stdout.write(await shellEnvironment(Site.open(state), name));
    });
}

/** The commands by which Fabric's own tools try the chaincode: folder, examples, env. */
export function addTrial(fabric: Command): void {
  addFolder(fabric);
  addExamples(fabric);
  addShell(fabric);
}
