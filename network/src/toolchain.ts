import { VeilgridError } from "@veilgrid/protocol";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, tail } from "./command.js";
import type { Say } from "./say.js";

/** A command `go`, and what its environment needs. */
export interface Go {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Milliseconds that fetching a release of Go may take. */
const FETCH = 900_000;

/** From 1.21 on Go fetches the release that a module asks for by itself, unless GOTOOLCHAIN=local forbids it. */
const FETCHES_ITSELF = 21;

function missing(why: string): VeilgridError {
  return new VeilgridError(
    "fabric-binaries-missing",
    `Fabric's commands are not there and cannot be built: ${why}; or name a folder with those of Fabric 3.1.x ` +
      "(--binaries or VEILGRID_FABRIC_BIN)",
    { facts: { why }, blame: "operator" },
  );
}

/** The release that a module's go.mod asks for, such as "1.26.4". */
function wantedRelease(module: string): string {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1];
  if (wanted === undefined) throw new RangeError("go.mod names no release of Go");
  return wanted;
}

/** What Go calls this machine: "linux-amd64". */
function machine(): string {
  return `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
}

/** Modules are kept without the right to be executed; Go itself gives it to a release that it has fetched. */
function makeExecutable(root: string): void {
  for (const folder of ["bin", join("pkg", "tool")]) {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) if (entry.isFile()) chmodSync(join(entry.parentPath, entry.name), 0o555);
  }
}

/** Fetches a release with an old Go, as a module: by its proxy, and held to its checksum database. */
async function fetchRelease(release: string, say: Say): Promise<Go> {
  say(`fetching Go ${release} as a module`);
  const module = `golang.org/toolchain@v0.0.1-go${release}.${machine()}`;
  const said = await run("go", ["mod", "download", "-json", module], { timeout: FETCH });
  if (!said.ok) throw missing(`Go ${release} is needed, and fetching it failed:\n${tail(said.stdout + said.stderr)}`);
  const { Dir: root } = JSON.parse(said.stdout) as { Dir: string };
  makeExecutable(root);
  return { command: join(root, "bin", "go"), env: { GOROOT: root } };
}

/**
 * A Go that can compile a module: the machine's own, or the release that the module asks for, fetched by it.
 * @throws VeilgridError `fabric-binaries-missing` that says why not and what to do.
 */
export async function findGo(module: string, say: Say): Promise<Go> {
  const release = wantedRelease(module);
  const said = await run("go", ["version"], { cwd: module, timeout: FETCH });
  if (!said.ok && said.stderr.includes("ENOENT"))
    throw missing(`install Go, ${release} or newer (an older one fetches that)`);
  if (!said.ok) throw missing(`Go says "${tail(said.stderr, 1)}"`);
  const minor = Number(/go1\.(\d+)/.exec(said.stdout)?.[1] ?? 0);
  return minor >= FETCHES_ITSELF ? { command: "go", env: {} } : fetchRelease(release, say);
}
