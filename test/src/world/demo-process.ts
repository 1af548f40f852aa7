import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command as it is installed. */
export const VEILGRID = fileURLToPath(new URL("../../../../gateway/bin/veilgrid.js", import.meta.url));

/** When a process is killed: so long after the first line of its stderr that matches. */
export interface Moment {
  readonly line: RegExp;
  /** Milliseconds. */
  readonly afterMs: number;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `veilgrid` with these arguments to its end, or kills it (-9) at a moment. */
export function veilgrid(args: readonly string[], moment?: Moment): Promise<Ended> {
  const child = spawn(process.execPath, [VEILGRID, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (moment === undefined || timer !== undefined || !moment.line.test(stderr)) return;
    timer = setTimeout(() => child.kill("SIGKILL"), moment.afterMs);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
