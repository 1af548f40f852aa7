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

/** Waits until everything that was written has left the process: a pipe takes 64 KiB at once, and no more before it is read. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => {
      resolve();
    });
  });
}

// A connection to a peer that is frozen is left open by gRPC when it is closed before TLS is agreed, and would keep the
// process until the peer goes on.
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(process.exitCode ?? EXIT.done);
