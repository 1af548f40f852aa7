import { isVeilgridError, VeilgridError } from "@veilgrid/protocol";
import { CommanderError } from "commander";
import { styleText } from "node:util";

/** What a command's exit code means to a script. */
export const EXIT = {
  done: 0,
  /** It ran, and what it checked does not hold. */
  failed: 1,
  /** It was asked for something it cannot do; nothing was changed. */
  refused: 2,
  /** The machine or the program failed in the middle (EX_SOFTWARE of sysexits); the same command again goes on. */
  broken: 70,
  /** A lost quorum, of aggregators or of peers: the same command again goes on (EX_TEMPFAIL of sysexits). */
  waiting: 75,
} as const;

/** The last lines of `veilgrid --help`. */
export const EXIT_CODES = `
Exit codes: 0 done; 1 a check failed (a bill does not verify, an audit found something, a file has bad rows);
2 refused, nothing changed; 70 failed in the middle; 75 waiting for a quorum or for peers: call
again to go on.`;

/** The error that a person acts on: what a role threw stands behind the scheduler's own. */
function rootOf(error: unknown): unknown {
  return isVeilgridError(error, "action-failed") ? rootOf(error.cause) : error;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** Errors of the system that are about a path that was given. */
const PATH_ERRORS = new Set(["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM", "EROFS"]);

function systemProblem(error: NodeJS.ErrnoException): VeilgridError {
  const { code = "", path = "", message } = error;
  if (PATH_ERRORS.has(code)) {
    return new VeilgridError("unusable-path", `${path} cannot be used (${code})`, {
      facts: { path, code },
      blame: "caller",
    });
  }
  return new VeilgridError("system-error", message, { facts: { code }, blame: "operator", retry: true, cause: error });
}

/** What went wrong, as one error with a code. */
export function problemOf(error: unknown): VeilgridError {
  const root = rootOf(error);
  if (isVeilgridError(root)) return root;
  if (root instanceof CommanderError) {
    return new VeilgridError("bad-usage", root.message.replace(/^error: /, ""), { blame: "caller", cause: root });
  }
  if (isSystemError(root)) return systemProblem(root);
  const detail = root instanceof Error ? (root.stack ?? root.message) : String(root);
  return new VeilgridError("internal-error", `this should not happen: ${detail}`, { blame: "nobody", cause: root });
}

/** Whether an error says that something does not hold which others are to answer for, rather than that it was not checked. */
export function isFailedCheck(error: unknown): error is VeilgridError {
  if (!isVeilgridError(error) || error.retry) return false;
  return error.blame === "peer" || error.blame === "ledger" || error.code === "content-corrupt";
}

const CODES: Readonly<Record<string, number>> = {
  "quorum-lost": EXIT.waiting,
  "ledger-unavailable": EXIT.waiting,
  "system-error": EXIT.broken,
  "internal-error": EXIT.broken,
};

/** The exit code that tells a script of an error. */
export function exitCodeOf(problem: VeilgridError): number {
  return CODES[problem.code] ?? (isFailedCheck(problem) ? EXIT.failed : EXIT.refused);
}

/** Prints an error as one clear line, or as JSON, and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  if (error instanceof CommanderError && error.exitCode === 0) return;
  const problem = problemOf(error);
  const { code, message, facts, blame, retry } = problem;
  const [colour, name] =
    exitCodeOf(problem) === EXIT.waiting ? (["yellow", "waiting"] as const) : (["red", "error"] as const);
  const word = styleText(colour, name, { stream: process.stderr });
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, facts, blame, retry } })}\n`);
  // The parser has printed its own already, with a hint.
  else if (code !== "bad-usage") process.stderr.write(`${word} ${code}: ${message}\n`);
  process.exitCode = exitCodeOf(problem);
}
