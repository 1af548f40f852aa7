// A program of its own for supervisor.test: says its number, and lives until it is stopped.
import { appendFileSync } from "node:fs";

const [, , file = "", ...rest] = process.argv;
appendFileSync(file, `${process.pid} ${rest.join(" ")}\n`);
if (rest.includes("ends")) process.exit(3);
process.on("SIGTERM", () => {
  appendFileSync(file, `${process.pid} stopped\n`);
  process.exit(0);
});
setInterval(() => undefined, 60_000);
