import { isVeilgridError } from "@veilgrid/protocol";
import pc from "picocolors";
import { program } from "./program.js";

try {
  await program().parseAsync();
} catch (error) {
  if (!isVeilgridError(error)) throw error;
  process.stderr.write(`${pc.red("error")} ${error.code}: ${error.message}\n`);
  process.exitCode = 2;
}
