// A program: runs another one in this process, and ends with whoever started it. What it is told by is the end of its
// standard input, a pipe that its parent holds: it ends however the parent does, `kill -9` included.
import { pathToFileURL } from "node:url";

/** Milliseconds that the program has to stop in once its parent is gone. */
const GRACE = 10_000;

const [, self = "", program = "", ...args] = process.argv;
process.argv = [process.execPath, program, ...args];

process.stdin.resume();
process.stdin.once("close", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(143), GRACE).unref();
});
process.stdin.on("error", () => undefined);
// The pipe alone keeps nobody alive.
(process.stdin as unknown as { unref(): void }).unref();

if (program === "") throw new Error(`${self} PROGRAM ARGUMENTS`);
await import(pathToFileURL(program).href);
