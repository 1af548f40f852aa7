import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command as it is installed. */
export const VEILGRID = fileURLToPath(new URL("../../../../gateway/bin/veilgrid.js", import.meta.url));
const TELL_MEMORY = new URL("tell-memory.js", import.meta.url).href;

/** When a process is killed: so long after what it said on stderr matches. */
export interface Moment {
  readonly said: RegExp;
  /** Milliseconds. */
  readonly afterMs: number;
}

/** How a process is watched, and what becomes of it. */
export interface Watching {
  /** When it is killed (-9). */
  readonly death?: Moment;
  readonly env?: Readonly<Record<string, string>>;
  /** Hears what it says on stderr. */
  readonly onSaid?: (text: string) => void;
  /** Hears its resident memory in bytes, every second. */
  readonly onMemory?: (bytes: number) => void;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds from start to end. */
  readonly seconds: number;
}

/** Runs `veilgrid` with these arguments to its end. */
export function veilgrid(args: readonly string[], watching: Watching = {}): Promise<Ended> {
  const { env = {}, onMemory } = watching;
  const preload = onMemory === undefined ? [] : ["--import", TELL_MEMORY];
  const child = spawn(process.execPath, [...preload, VEILGRID, ...args], {
    stdio: ["ignore", "pipe", "pipe", onMemory === undefined ? "ignore" : "ipc"],
    env: { ...process.env, FORCE_COLOR: undefined, ...env },
  });
  if (onMemory !== undefined)
    child.on("message", (bytes) => {
      onMemory(Number(bytes));
    });
  return ended(child, watching);
}

/** Runs another program of Node's with these arguments to its end. */
export function node(args: readonly string[]): Promise<Ended> {
  return ended(spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "pipe"] }), {});
}

function ended(child: ChildProcess, { death, onSaid }: Watching): Promise<Ended> {
  const began = performance.now();
  let [stdout, stderr] = ["", ""];
  let timer: NodeJS.Timeout | undefined;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    onSaid?.(text);
    if (death !== undefined && timer === undefined && death.said.test(stderr)) {
      timer = setTimeout(() => child.kill("SIGKILL"), death.afterMs);
    }
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, seconds: (performance.now() - began) / 1000 });
    });
  });
}
