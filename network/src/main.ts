import { isVeilgridError } from "@veilgrid/protocol";
import { inspect, styleText } from "node:util";
import { program } from "./program.js";

try {
  await program().parseAsync();
} catch (error) {
  // Rethrown, anything else would end in silence and success: fabric-shim takes over what nobody catches.
  const text = isVeilgridError(error) ? `${error.code}: ${error.message}` : inspect(error);
  process.stderr.write(`${styleText("red", "error", { stream: process.stderr })} ${text}\n`);
  process.exitCode = isVeilgridError(error) ? 2 : 70;
}
