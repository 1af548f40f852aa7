import { Command } from "commander";
import { addDemo } from "./demo.js";
import { EXIT } from "./failure.js";

/** The command `veilgrid` with all its parts. */
export function program(): Command {
  const veilgrid = new Command("veilgrid")
    .description("private smart metering and dynamic billing on a consortium blockchain")
    .version("0.1.0")
    .showHelpAfterError("(--help shows what it takes)")
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? EXIT.done : EXIT.refused);
    });
  addDemo(veilgrid);
  return veilgrid;
}
