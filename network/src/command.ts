import { VeilgridError } from "@veilgrid/protocol";
import { execFile } from "node:child_process";

/** What a command said. */
export interface Said {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Beside PATH, HOME and the like; what this process has of Fabric's own variables is not passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
  /** Called with what it writes on stderr, as it comes. */
  readonly onStderr?: (text: string) => void;
}

const PASSED = ["PATH", "HOME", "TMPDIR", "LANG", "XDG_CACHE_HOME", "VEILGRID_ENGINE"];
/** Whatever configures Go: the module proxy, its caches, how many processors it may take. */
const GO = /^(?:GO|HTTPS?_PROXY$|https?_proxy$|NO_PROXY$|no_proxy$|SSL_CERT_)/;
const LINES = 25;

/** An environment without the CORE_, ORDERER_ and CONFIGTX_ variables that Fabric's commands would obey. */
export function cleanEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const passed = Object.entries(process.env).filter(([name]) => PASSED.includes(name) || GO.test(name));
  return { ...(Object.fromEntries(passed) as Record<string, string>), ...own };
}

/** The last lines of a text. */
export function tail(text: string, lines = LINES): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** Runs a command to its end. */
export function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      [...args],
      {
        cwd: options.cwd,
        env: cleanEnvironment(options.env),
        timeout: options.timeout ?? 60_000,
        killSignal: "SIGKILL",
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        resolve({ ok: error === null, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
      },
    );
    if (options.onStderr !== undefined) child.stderr?.on("data", options.onStderr);
  });
}

/** Fabric's commands explain their options after an error; the error is what matters. */
function essence(text: string): string {
  const errors = text.split("\n").filter((line) => /^Error\b/i.test(line));
  return errors.length > 0 ? errors.join("\n") : tail(text);
}

/** What a command that did not do its work said. */
export function commandFailed(what: string, { stdout, stderr }: Said): VeilgridError {
  return new VeilgridError("command-failed", `${what} failed:\n${essence(`${stdout}\n${stderr}`)}`, {
    facts: { what },
    blame: "operator",
  });
}

/** Runs a command that has to succeed. @throws VeilgridError `command-failed` with its last lines. */
export async function must(
  what: string,
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Said> {
  const said = await run(file, args, options);
  if (!said.ok) throw commandFailed(what, said);
  return said;
}
