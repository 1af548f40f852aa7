import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole, type StateFolder } from "./folder.js";

/** In the environment of every process of a network, so that it is found whatever became of its record. */
const VARIABLE = "VEILGRID_NETWORK";

function markFile(folder: StateFolder): string {
  return join(folder.processes, "mark");
}

/** What marks a network's processes. It is no path: a state folder may be moved. */
function markOf(folder: StateFolder): string {
  const file = markFile(folder);
  if (!existsSync(file)) writeWhole(file, randomBytes(16).toString("hex"));
  return readFileSync(file, "utf8");
}

/** The variable that every process of a network is given. */
export function marking(folder: StateFolder): Record<string, string> {
  return { [VARIABLE]: markOf(folder) };
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    // It ended, or is another user's.
    return [];
  }
}

/** The numbers of all processes that have the network's mark (proc(5), /proc/PID/environ), children among them. */
export function markedProcesses(folder: StateFolder): number[] {
  if (!existsSync(markFile(folder))) return [];
  const mark = `${VARIABLE}=${markOf(folder)}`;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(mark));
}
