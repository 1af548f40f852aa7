import { consortiumId, toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import { runParamsBytes } from "../world/consortium.js";
import { jsonOption, examples } from "./options.js";
import { line, printFacts, printJson } from "./output.js";
import { addRunOptions, type RunOptions } from "./run-options.js";
import { withAskedRun } from "./stages.js";

interface ParamsOptions extends RunOptions {
  readonly json?: boolean;
}

const NOTES = `The chaincode of a Fabric channel is bound to its first parameter set for ever, keys of all members included. So a
run on Fabric begins here, by making its keys; its parameters are deployed with the chaincode, and then the run goes
on.`;

/** `veilgrid network params`: begins a run on Fabric. */
export function addNetworkParams(parent: Command): void {
  addRunOptions(parent.command("params"))
    .description("begin a run on Fabric: make its folder and keys, and write the parameter set that is to be deployed")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid network params --meters 12 --regions 1 --out my-run",
          "npm run fabric -- deploy --params my-run/params.bin",
          "veilgrid demo --ledger fabric --profile .fabric/profile.json --out my-run",
        ],
        NOTES,
      ),
    )
    .action((options: ParamsOptions) => params(options));
}

async function params(options: ParamsOptions): Promise<void> {
  await withAskedRun({ ...options, ledger: "fabric" }, ({ folder, record, keys }) => {
    const bytes = runParamsBytes(record, keys);
    const consortium = toHex(consortiumId(bytes));
    if (options.json === true) printJson({ folder: folder.path, params: folder.params, consortium });
    else {
      printFacts([
        ["consortium", consortium],
        ["parameters", `${folder.params}, ${bytes.length} bytes`],
        ["folder", folder.path],
      ]);
      line();
      line(`Next:  npm run fabric -- deploy --params ${folder.params}`);
      line(`       veilgrid demo --ledger fabric --profile .fabric/profile.json --out ${folder.path}`);
    }
    return Promise.resolve();
  });
}
