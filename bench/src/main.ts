import { cpus } from "node:os";
import { benchConstructions } from "./filters.js";
import { benchEngines } from "./engines.js";
import { benchVerification } from "./verification.js";

console.log(
  `${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
await benchEngines();
await benchConstructions();
await benchVerification();
