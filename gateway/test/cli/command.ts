import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const BIN = fileURLToPath(new URL("../../../bin/veilgrid.js", import.meta.url));

/** What a run of the command came to. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The folder that commands run in: its files are named without a path, so that what they print can be expected. */
export const FOLDER = mkdtempSync(join(tmpdir(), "veilgrid-cli-"));
process.once("exit", () => {
  rmSync(FOLDER, { recursive: true, force: true });
});

/** A file or folder of FOLDER. */
export function inFolder(name: string): string {
  return join(FOLDER, name);
}

function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  // Coverage of dozens of short processes would cost more than all they do; the packages' own tests cover the code.
  // What mocha itself was told about colours is not the command's.
  return { ...process.env, NODE_V8_COVERAGE: "", FORCE_COLOR: undefined, NO_COLOR: undefined, ...extra };
}

/** Runs the real command in a process of its own. */
export async function veilgrid(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: FOLDER, env: environment(env) });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs the command as a person types it (no quotes, no blanks in values), and expects exit code 0. */
export async function typed(line: string): Promise<string> {
  const { code, stdout, stderr } = await veilgrid(line.split(" "));
  expect(code, `${line}: ${stderr}`).to.equal(0);
  return stdout;
}

/** The same with --json: what a program reads. */
export async function json<T>(line: string): Promise<T> {
  return JSON.parse(await typed(`${line} --json`)) as T;
}

/** What a command that fails says as JSON. */
export interface Failure {
  readonly code: number | null;
  readonly error: { readonly code: string; readonly message: string; readonly retry: boolean };
}

/** Runs a command that is to fail, with --json. */
export async function failing(line: string, env: Readonly<Record<string, string>> = {}): Promise<Failure> {
  const { code, stdout, stderr } = await veilgrid([...line.split(" "), "--json"], env);
  expect(stdout, line).to.equal("");
  const last = stderr.trim().split("\n").at(-1) ?? "";
  return { code, ...(JSON.parse(last) as Pick<Failure, "error">) };
}

/** Lines of a table between its borders, with single blanks. */
export function rows(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("│")
        .map((cell) => cell.trim())
        .join(" | "),
    );
}
