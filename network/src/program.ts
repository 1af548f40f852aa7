import "./quiet.js";
import { ccaasPackage, packageId } from "@veilgrid/chaincode";
import { Command, InvalidArgumentError } from "commander";
import { writeFileSync } from "node:fs";
import { styleText } from "node:util";
import { CHAINCODE_FOLDER } from "./chaincode.js";
import { addDemo } from "./demo.js";
import { deploy } from "./deploy.js";
import { findBinaries } from "./binaries.js";
import * as faults from "./faults.js";
import { addMembership } from "./membership-commands.js";
import { down, reset, up } from "./network.js";
import { lastLines } from "./log.js";
import { line, printStatus, say, seconds } from "./print.js";
import { readParams } from "./params-file.js";
import { knownProcesses } from "./process.js";
import { Site } from "./site.js";
import { addTrial } from "./trial-commands.js";
import { networkStatus } from "./status.js";

interface Common {
  readonly state: string;
}

function integer(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number is due");
}

function addLife(fabric: Command): void {
  fabric
    .command("up")
    .description("makes the network or starts what of it does not run; done when every gateway gets its endorsements")
    .option("--das <number>", "data aggregators, 4 to 10 (a new network: 4)", integer)
    .option("--base-port <port>", "the lowest of its ports (a new network: 17050)", integer)
    .option("--binaries <folder>", "Fabric's commands, 3.1.x (else VEILGRID_FABRIC_BIN, PATH, or built by Go)")
    .action(async (_: unknown, command: Command) => {
      const { state, das, basePort, binaries } = command.optsWithGlobals<
        Common & { das?: number; basePort?: number; binaries?: string }
      >();
      const start = performance.now();
      const options = { ...(das !== undefined && { size: das }), ...(basePort !== undefined && { basePort }) };
      await up(state, { ...options, ...(binaries !== undefined && { binaries }) }, say);
      line(`up in ${seconds(start)}`);
    });
  fabric
    .command("down")
    .description("stops every process; the ledger stays")
    .action(async (_: unknown, command: Command) => {
      const stopped = await down(command.optsWithGlobals<Common>().state);
      line(`${stopped.length} processes stopped`);
    });
  fabric
    .command("reset")
    .description("stops every process and removes every file")
    .action(async (_: unknown, command: Command) => {
      await reset(command.optsWithGlobals<Common>().state);
      line("nothing is left");
    });
}

function addLook(fabric: Command): void {
  fabric
    .command("status")
    .description("what runs, how many blocks each has, who leads, what is deployed")
    .option("--json", "for a program to read")
    .action(async (_: unknown, command: Command) => {
      const { state, json } = command.optsWithGlobals<Common & { json?: boolean }>();
      const status = await networkStatus(Site.open(state));
      if (json === true) line(JSON.stringify(status, undefined, 2));
      else printStatus(status);
      if (status.state !== "running") process.exitCode = 1;
    });
  fabric
    .command("logs")
    .description("the last lines of one process, or of all")
    .argument("[process]", "such as peer.da0")
    .option("--lines <number>", "how many of each", integer, 20)
    .action((name: string | undefined, _: unknown, command: Command) => {
      const { state, lines } = command.optsWithGlobals<Common & { lines: number }>();
      const { folder } = Site.open(state);
      for (const each of name === undefined ? knownProcesses(folder) : [name]) {
        line(styleText("bold", `== ${each}`));
        line(lastLines(folder, each, lines));
      }
    });
}

function addChaincode(fabric: Command): void {
  fabric
    .command("deploy")
    .description("installs, approves and commits the chaincode with a parameter set, or upgrades to the present code")
    .requiredOption("--params <file>", "version 1 of the parameter set, as bytes")
    .option("--code <folder>", "another compiled chaincode than this checkout's", CHAINCODE_FOLDER)
    .action(async (_: unknown, command: Command) => {
      const { state, params, code } = command.optsWithGlobals<Common & { params: string; code: string }>();
      const start = performance.now();
      const content = { params: readParams(params), code };
      const { packageId: id, sequence } = await deploy(Site.open(state), content, say);
      line(`sequence ${sequence}, ${id}, in ${seconds(start)}`);
    });
  fabric
    .command("package")
    .description("makes the chaincode package that organisations install and approve, and tells its id")
    .requiredOption("--params <file>", "version 1 of the parameter set, as bytes")
    .requiredOption("--out <file>", "the package (.tgz)")
    .option("--label <label>", "what the package is called", "veilgrid_1")
    .action(({ params, out, label }: { params: string; out: string; label: string }) => {
      const bytes = ccaasPackage(readParams(params), label);
      writeFileSync(out, bytes);
      line(packageId(label, bytes));
    });
}

/** What is done to single processes, and what is said when it is done. */
const ACTIONS = [
  ["stop", "ends processes in good order", faults.stop, "stopped"],
  ["start", "starts processes that do not run", faults.start, "runs"],
  ["kill", "ends processes as a crash would (SIGKILL)", faults.kill, "killed"],
  ["freeze", "stops processes in the middle of what they do (SIGSTOP)", faults.freeze, "frozen"],
  ["thaw", "lets frozen processes go on (SIGCONT)", faults.thaw, "runs"],
] as const;

function addProcesses(fabric: Command): void {
  for (const [name, description, act, done] of ACTIONS) {
    fabric
      .command(name)
      .description(description)
      .argument("<process...>", "as `status` calls them, such as peer.da0 orderer.da0 chaincode.da0.v1")
      .action(async (targets: readonly string[], _: unknown, command: Command) => {
        const site = Site.open(command.optsWithGlobals<Common>().state);
        for (const target of targets) {
          await act(site, target);
          line(`${target} ${done}`);
        }
      });
  }
}

function addBinaries(fabric: Command): void {
  fabric
    .command("binaries")
    .description("finds Fabric's commands, or has Go build them into the cache, and tells where they are")
    .option("--binaries <folder>", "Fabric's commands, 3.1.x (else VEILGRID_FABRIC_BIN, PATH, or built by Go)")
    .action(async ({ binaries }: { binaries?: string }) => {
      const { folder, version } = await findBinaries(binaries, say);
      line(`Fabric ${version}: ${folder}`);
    });
}

/** The command `fabric` with all its parts. */
export function program(): Command {
  const fabric = new Command("fabric")
    .description("a Fabric network on this machine: real peers and orderers as plain processes")
    .option("--state <folder>", "where it keeps everything", ".fabric")
    .showHelpAfterError("(--help shows what it takes)");
  addLife(fabric);
  addLook(fabric);
  addChaincode(fabric);
  addMembership(fabric);
  addProcesses(fabric);
  addBinaries(fabric);
  addTrial(fabric);
  addDemo(fabric);
  return fabric;
}
