import { watch } from "./watchdog.js";

const root = process.argv[2];
if (root === undefined) throw new Error("watchdog-main takes the network's folder");

await watch(root, (text) => {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
});
