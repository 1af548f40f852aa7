import "../ledger/quiet.js";
import { EXIT, fail } from "./failure.js";
import { program } from "./program.js";

const json = process.argv.includes("--json");

// Who reads only the first lines (`| head`) has what it wants.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? EXIT.done);
});

try {
  await program({ json }).parseAsync();
} catch (error) {
  fail(error, json);
}

// Everything is done and written (stdout is synchronous where this runs). A connection to a peer that is frozen is left
// open by gRPC when it is closed before TLS is agreed, and would keep the process until the peer goes on.
process.exit(process.exitCode ?? EXIT.done);
