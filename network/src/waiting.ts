import { VeilgridError } from "@veilgrid/protocol";
import { setTimeout as pause } from "node:timers/promises";
import type { StateFolder } from "./folder.js";
import { lastLines } from "./log.js";
import { processDied, processStatus } from "./process.js";

/** Milliseconds between two looks. */
const POLL = 100;

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
    await pause(POLL);
  }
}

function notReady(
  folder: StateFolder,
  { what, within }: Waiting,
  absent: readonly string[],
  cause: unknown,
): VeilgridError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  const named = (name: string): string => (processStatus(folder, name).state === "frozen" ? `${name} (frozen)` : name);
  const lines = absent.map((name) => `\n${named(name)}, last lines:\n${lastLines(folder, name)}`).join("");
  return new VeilgridError("not-ready", `${what}: not after ${within / 1000} s${why}${lines}`, {
    facts: { what, within },
    blame: "operator",
    retry: true,
    cause,
  });
}
