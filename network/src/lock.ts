import { VeilgridError } from "@veilgrid/protocol";
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StateFolder } from "./folder.js";
import { identityOf, type ProcessIdentity } from "./process.js";

function lockFile(folder: StateFolder): string {
  return join(folder.root, "lock.json");
}

function holder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Takes the lock, also from a process that is no more. */
function take(file: string): void {
  const own = JSON.stringify(identityOf(process.pid));
  const held = holder(file);
  if (held !== undefined && identityOf(held.pid)?.start !== held.start) rmSync(file, { force: true });
  try {
    writeFileSync(file, own, { flag: "wx" });
  } catch (cause) {
    throw new VeilgridError("network-busy", "another command is changing this network", {
      facts: { file, pid: held?.pid ?? 0 },
      blame: "operator",
      retry: true,
      cause,
    });
  }
}

/**
 * Runs what changes a network while no other process does; leaves no folder where there was none.
 * @throws VeilgridError `network-busy`.
 */
export async function exclusively<T>(folder: StateFolder, action: () => Promise<T>): Promise<T> {
  mkdirSync(folder.root, { recursive: true });
  const file = lockFile(folder);
  take(file);
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
    try {
      rmdirSync(folder.root);
    } catch {
      // It is in use, or is gone with the network.
    }
  }
}
