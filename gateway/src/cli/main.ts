import "../ledger/quiet.js";
import { isVeilgridError } from "@veilgrid/protocol";
import { program } from "./program.js";
import { EXIT, fail } from "./failure.js";

const json = process.argv.includes("--json");

try {
  await program().parseAsync();
} catch (error) {
  if (isVeilgridError(error)) fail(error, json);
  else throw error;
}

process.exitCode ??= EXIT.done;
