import { VeilgridError } from "@veilgrid/protocol";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cleanEnvironment, tail } from "./command.js";
import { writeWhole, type StateFolder } from "./folder.js";

/** A long-running process of the network. */
export interface ProcessPlan {
  /** Such as `peer.da0`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The ports that it listens on. */
  readonly ports: readonly number[];
}

/** A process: its number alone may be another's by now, so its start (clock ticks since boot) counts too. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

const POLL = 25;
/** Milliseconds after which a process that was asked to end is killed. */
const PATIENCE = 8000;

/** The state letter and the start of a running process (proc(5), /proc/PID/stat fields 3 and 22). */
function statOf(pid: number): { readonly state: string; readonly start: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { state: fields[0] ?? "", start: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** The process that has a number now. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  return stat === undefined ? undefined : { pid, start: stat.start };
}

function recordOf(folder: StateFolder, name: string): string {
  return join(folder.processes, `${name}.json`);
}

function started(folder: StateFolder, name: string): ProcessIdentity | undefined {
  const path = recordOf(folder, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity) : undefined;
}

/** What a process is doing. */
export type ProcessState = "running" | "frozen" | "stopped";

/** A process's state and, unless it is stopped, its number. */
export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid?: number;
}

/** Looks at a process of the network. */
export function processStatus(folder: StateFolder, name: string): ProcessStatus {
  const known = started(folder, name);
  const stat = known === undefined ? undefined : statOf(known.pid);
  if (known === undefined || stat?.start !== known.start || "ZX".includes(stat.state))
    return { name, state: "stopped" };
  return { name, state: stat.state === "T" ? "frozen" : "running", pid: known.pid };
}

/** The processes that were ever started and not stopped on purpose, in alphabetical order. */
export function knownProcesses(folder: StateFolder): string[] {
  if (!existsSync(folder.processes)) return [];
  return readdirSync(folder.processes)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/** The last lines that a process wrote. */
export function lastLines(folder: StateFolder, name: string, lines?: number): string {
  return existsSync(folder.log(name)) ? tail(readFileSync(folder.log(name), "utf8"), lines) : "";
}

/** A process that ended though it should run; the message ends with its last lines. */
export function processDied(folder: StateFolder, name: string): VeilgridError {
  return new VeilgridError("process-died", `${name} ended; its last lines:\n${lastLines(folder, name)}`, {
    facts: { process: name, log: folder.log(name) },
    blame: "operator",
  });
}

/**
 * Starts a process that outlives this one, unless it runs. Its output is added to its log.
 * @returns whether it was started.
 */
export function startProcess(folder: StateFolder, plan: ProcessPlan): boolean {
  if (processStatus(folder, plan.name).state !== "stopped") return false;
  const log = folder.log(plan.name);
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "a");
  const child = spawn(plan.file, [...plan.args], {
    cwd: plan.cwd,
    env: cleanEnvironment(plan.env),
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  // A file that cannot be executed: the log tells, and whoever waits for the process sees that it is not there.
  child.once("error", () => undefined);
  child.unref();
  if (child.pid === undefined) throw processDied(folder, plan.name);
  const start = statOf(child.pid)?.start ?? "";
  writeWhole(recordOf(folder, plan.name), JSON.stringify({ pid: child.pid, start } satisfies ProcessIdentity));
  return true;
}

/** Sends a process a signal. @throws VeilgridError `process-stopped`. */
export function signalProcess(folder: StateFolder, name: string, signal: NodeJS.Signals): void {
  const { pid } = processStatus(folder, name);
  if (pid === undefined) {
    throw new VeilgridError("process-stopped", `${name} does not run`, { facts: { process: name }, blame: "caller" });
  }
  process.kill(pid, signal);
}

function tell(folder: StateFolder, name: string, signal: NodeJS.Signals): void {
  const { pid } = processStatus(folder, name);
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what was wanted.
  }
}

async function gone(folder: StateFolder, name: string, within: number): Promise<boolean> {
  const end = performance.now() + within;
  while (processStatus(folder, name).state !== "stopped") {
    if (performance.now() > end) return false;
    await pause(POLL);
  }
  return true;
}

/**
 * Ends a process: asks, and kills it when it has not ended after some seconds. A frozen one is woken to hear it.
 * @throws VeilgridError `process-unstoppable`.
 */
export async function stopProcess(folder: StateFolder, name: string): Promise<void> {
  tell(folder, name, "SIGTERM");
  tell(folder, name, "SIGCONT");
  if (!(await gone(folder, name, PATIENCE))) tell(folder, name, "SIGKILL");
  if (!(await gone(folder, name, PATIENCE))) {
    throw new VeilgridError("process-unstoppable", `${name} does not end even when killed`, {
      facts: { process: name },
      blame: "operator",
    });
  }
  rmSync(recordOf(folder, name), { force: true });
}

/** What is waited for, and how long. */
export interface Waiting {
  readonly what: string;
  /** Milliseconds. */
  readonly within: number;
  /** The processes that it takes: one that ends makes waiting pointless. */
  readonly processes: readonly string[];
}

/**
 * Waits until nothing is missing.
 * @param missing names the processes that are not ready; when it throws, nothing is known, and that is the cause if
 *   time runs out.
 * @throws VeilgridError `process-died` as soon as one of the processes is not there, `not-ready` with the last lines of
 *   those that are missing.
 */
export async function waitFor(
  folder: StateFolder,
  waiting: Waiting,
  missing: () => Promise<readonly string[]>,
): Promise<void> {
  const end = performance.now() + waiting.within;
  let absent: readonly string[] = [];
  let cause: unknown;
  for (;;) {
    try {
      absent = await missing();
      if (absent.length === 0) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    const dead = waiting.processes.find((name) => processStatus(folder, name).state === "stopped");
    if (dead !== undefined) throw processDied(folder, dead);
    if (performance.now() > end) throw notReady(folder, waiting, absent, cause);
    await pause(4 * POLL);
  }
}

function notReady(
  folder: StateFolder,
  { what, within }: Waiting,
  absent: readonly string[],
  cause: unknown,
): VeilgridError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  const lines = absent.map((name) => `\n${name}, last lines:\n${lastLines(folder, name)}`).join("");
  return new VeilgridError("not-ready", `${what}: not after ${within / 1000} s${why}${lines}`, {
    facts: { what, within },
    blame: "operator",
    retry: true,
    cause,
  });
}
