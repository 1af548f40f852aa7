import { parentPort, workerData } from "node:worker_threads";
import { useEngine, type EngineName } from "@veilgrid/protocol";
import { verdictsOn } from "./packed.js";

// The main thread may have been told another engine than the environment's.
useEngine((workerData as { readonly engine: EngineName }).engine);

parentPort?.on("message", (bytes: Uint8Array) => {
  const verdicts = verdictsOn(bytes);
  parentPort?.postMessage(verdicts, [verdicts.buffer]);
});
