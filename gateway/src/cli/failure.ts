import { isVeilgridError } from "@veilgrid/protocol";
import pc from "picocolors";

/** What a command's exit code means to a script. */
export const EXIT = {
  done: 0,
  /** It ran, and what it checked does not hold. */
  failed: 1,
  /** It was asked for something it cannot do; nothing was changed. */
  refused: 2,
  /** A lost quorum: the same command again goes on (EX_TEMPFAIL of sysexits). */
  waiting: 75,
} as const;

/** The error that a person acts on: what a role threw stands behind the scheduler's own. */
function rootOf(error: unknown): unknown {
  return isVeilgridError(error, "action-failed") ? rootOf(error.cause) : error;
}

/** Prints an error as one clear line, or as JSON, and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  const root = rootOf(error);
  if (!isVeilgridError(root)) throw root;
  const { code, message, facts, blame, retry } = root;
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, facts, blame, retry } })}\n`);
  else process.stderr.write(`${pc.red("error")} ${code}: ${message}\n`);
  process.exitCode = EXIT.refused;
}
