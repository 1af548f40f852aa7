import { isVeilgridError, paramsCodec, VeilgridError } from "@veilgrid/protocol";
import { InvalidArgumentError, type Command } from "commander";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CHAINCODE_FOLDER } from "./chaincode.js";
import { deploy } from "./deploy.js";
import { up } from "./network.js";
import { readParams } from "./params-file.js";
import { line, say, seconds } from "./print.js";
import type { Site } from "./site.js";

/** The command that runs a consortium; it is no package that this one imports, only a program that it starts. */
const VEILGRID = fileURLToPath(new URL("../../../gateway/bin/veilgrid.js", import.meta.url));

interface DemoOptions {
  readonly state: string;
  readonly out: string;
  readonly basePort?: number;
  readonly binaries?: string;
  readonly engine?: string;
  readonly audit: boolean;
  readonly memory: boolean;
  readonly json?: boolean;
}

const NOTES = `
Whatever else is given says what the run is, and goes to "veilgrid network params" (its --help has it all).

Examples:
  npm run fabric:demo
  npm run fabric:demo -- --readings data/sgsc/sgsc50_2013-04-08_30d_wide.csv --regions 2 --periods 4 --out my-run

Run again, it goes on with the same folder. A network has one run for ever: another one needs \`reset\`, or a --state and
a --base-port of its own.`;

function whole(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number is due");
}

/** `fabric demo`: a network, the chaincode, and a whole run on it. */
export function addDemo(fabric: Command): void {
  fabric
    .command("demo")
    .description("up, deploy, and then a whole run on it: from meter readings to verified bills and a clean audit")
    .option("--out <dir>", "the run's data folder", "fabric-demo")
    .option("--base-port <port>", "the lowest port of a new network", whole)
    .option("--binaries <folder>", "Fabric's commands, 3.1.x")
    .option("--engine <name>", "Schnorr signatures")
    .option("--no-audit", "do not re-verify the whole ledger at the end")
    .option("--no-memory", "verify every signature each time")
    .option("--json", "print the result as JSON")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", NOTES)
    .action(async (_: unknown, command: Command) => {
      await demo(command.optsWithGlobals<DemoOptions>(), command.args);
    });
}

/** @param asked the options that say what the run is, as `veilgrid` takes them. */
async function demo(options: DemoOptions, asked: readonly string[]): Promise<void> {
  const { state, out, basePort, binaries } = options;
  const start = performance.now();
  const engine = options.engine === undefined ? [] : ["--engine", options.engine];
  // Its keys first: the chaincode is bound to them.
  if (!(await veilgrid(["network", "params", "--out", out, ...engine, ...asked], "ignore"))) return;
  const params = readParams(join(out, "params.bin"));
  const size = paramsCodec.decode(params).da.length;
  const upStart = performance.now();
  const wanted = {
    size,
    ...(basePort !== undefined && { basePort }),
    ...(binaries !== undefined && { binaries }),
  };
  const site = await up(state, wanted, say);
  say(`up in ${seconds(upStart)}`);
  await deployed(site, params, state);
  const ends = [...(options.audit ? [] : ["--no-audit"]), ...(options.memory ? [] : ["--no-memory"])];
  const place = ["--ledger", "fabric", "--profile", site.folder.profile, "--out", out];
  const json = options.json === true ? ["--json"] : [];
  if (!(await veilgrid(["demo", ...place, ...engine, ...ends, ...json], "inherit"))) return;
  (options.json === true ? say : line)(`On real Fabric, all in all: ${seconds(start)}.`);
}

/** @throws VeilgridError as deploy; `params-bound` says what to do. */
async function deployed(site: Site, params: Uint8Array, state: string): Promise<void> {
  const start = performance.now();
  try {
    const { packageId } = await deploy(site, { params, code: CHAINCODE_FOLDER }, say);
    say(`${packageId} in ${seconds(start)}`);
  } catch (error) {
    if (!isVeilgridError(error, "params-bound")) throw error;
    const sentence =
      `the network in ${state} is bound to another run's parameters for ever: \`npm run fabric -- reset\` removes it, ` +
      "or give this run a --state and a --base-port of its own";
    throw new VeilgridError("params-bound", sentence, { facts: error.facts, blame: "caller", cause: error });
  }
}

/** Runs `veilgrid`, which says itself what goes wrong; its exit code is then this command's. */
async function veilgrid(args: readonly string[], stdout: "inherit" | "ignore"): Promise<boolean> {
  const child = spawn(process.execPath, [VEILGRID, ...args], { stdio: ["ignore", stdout, "inherit"] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  if (code !== 0) process.exitCode = code ?? 70;
  return code === 0;
}
