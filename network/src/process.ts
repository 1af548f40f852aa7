import { VeilgridError } from "@veilgrid/protocol";
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cleanEnvironment } from "./command.js";
import { writeWhole, type StateFolder } from "./folder.js";
import { boundLog, lastLines } from "./log.js";
import { markedProcesses, marking } from "./mark.js";

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

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly start: string;
}

/** The state letter, parent and start of a running process (proc(5), /proc/PID/stat fields 3, 4 and 22). */
function statOf(pid: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), start: fields[19] ?? "" };
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

/** The state of a process, as long as its number is its own. */
function stateOf({ pid, start }: ProcessIdentity): ProcessState {
  const stat = statOf(pid);
  if (stat?.start !== start || "ZX".includes(stat.state)) return "stopped";
  return stat.state === "T" ? "frozen" : "running";
}

/** Looks at a process of the network. */
export function processStatus(folder: StateFolder, name: string): ProcessStatus {
  const known = started(folder, name);
  const state = known === undefined ? "stopped" : stateOf(known);
  return { name, state, ...(known !== undefined && state !== "stopped" && { pid: known.pid }) };
}

/** The processes that were ever started and not stopped on purpose, in alphabetical order. */
export function knownProcesses(folder: StateFolder): string[] {
  if (!existsSync(folder.processes)) return [];
  return readdirSync(folder.processes)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
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
  boundLog(folder, plan.name);
  const output = openSync(log, "a");
  const child = spawn(plan.file, [...plan.args], {
    cwd: plan.cwd,
    env: cleanEnvironment({ ...plan.env, ...marking(folder) }),
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

/** The number of a process that runs or is frozen. @throws VeilgridError `process-stopped`. */
function requireAlive(folder: StateFolder, name: string): number {
  const { pid } = processStatus(folder, name);
  if (pid !== undefined) return pid;
  throw new VeilgridError("process-stopped", `${name} does not run`, { facts: { process: name }, blame: "caller" });
}

/** Sends a process a signal. @throws VeilgridError `process-stopped`. */
export function signalProcess(folder: StateFolder, name: string, signal: NodeJS.Signals): void {
  process.kill(requireAlive(folder, name), signal);
}

function tell({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what was wanted.
  }
}

async function gone(target: ProcessIdentity, within: number): Promise<boolean> {
  const end = performance.now() + within;
  while (stateOf(target) !== "stopped") {
    if (performance.now() > end) return false;
    await pause(POLL);
  }
  return true;
}

/** Asks a process to end, waking it to hear that, and kills it when it has not ended after some seconds. */
async function end(target: ProcessIdentity, name: string, patience = PATIENCE): Promise<void> {
  if (stateOf(target) === "stopped") return;
  if (patience > 0) {
    tell(target, "SIGTERM");
    tell(target, "SIGCONT");
  }
  if (await gone(target, patience)) return;
  tell(target, "SIGKILL");
  if (await gone(target, PATIENCE)) return;
  throw new VeilgridError("process-unstoppable", `${name} does not end even when killed`, {
    facts: { process: name },
    blame: "operator",
  });
}

/**
 * Ends a process: asks, and kills it when it has not ended after some seconds. A frozen one is woken to hear it.
 * @throws VeilgridError `process-unstoppable`.
 */
export async function stopProcess(folder: StateFolder, name: string): Promise<void> {
  const known = started(folder, name);
  if (known !== undefined) await end(known, name);
  rmSync(recordOf(folder, name), { force: true });
}

/** Ends a process at once, as a crash would (`SIGKILL`). @throws VeilgridError `process-stopped`, `process-unstoppable`. */
export async function killProcess(folder: StateFolder, name: string): Promise<void> {
  requireAlive(folder, name);
  await end(started(folder, name) as ProcessIdentity, name, 0);
}

/**
 * Ends the network's processes that no record tells of: whoever started them was killed before writing it.
 * @returns how many there were.
 */
export async function stopStrays(folder: StateFolder): Promise<number> {
  const known = knownProcesses(folder).map((name) => processStatus(folder, name).pid);
  // What a known process starts is its own affair.
  const strays = markedProcesses(folder).filter((pid) => !known.includes(pid) && !known.includes(statOf(pid)?.parent));
  const targets = strays.map(identityOf).filter((identity) => identity !== undefined);
  await Promise.all(targets.map((target) => end(target, `process ${target.pid}`)));
  return targets.length;
}
