import { VeilgridError } from "@veilgrid/protocol";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, run, tail } from "./command.js";
import type { Say } from "./say.js";
import { findGo, type Go } from "./toolchain.js";

/** The release that is built: v3.1.1, which Go's module proxy knows by its commit only. */
const RELEASE = { version: "3.1.1", commit: "435a7f1a7" } as const;
const MODULE = "github.com/hyperledger/fabric";
const COMMANDS = ["peer", "orderer", "configtxgen", "configtxlator", "cryptogen", "osnadmin", "discover", "ledgerutil"];
const STOCK = ["core.yaml", "orderer.yaml"];
const HOUR = 3_600_000;

/** The wrapper module whose go.sum pins every byte that is compiled. */
const TOOLS = fileURLToPath(new URL("../../tools", import.meta.url));

/**
 * Where the user's builds are kept for all checkouts: XDG_CACHE_HOME or ~/.cache. The name changes with what is
 * compiled, so that a checkout never finds another one's versions.
 */
export function cacheFolder(): string {
  const pinned = createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) pinned.update(readFileSync(join(TOOLS, name)));
  const chosen = process.env.XDG_CACHE_HOME;
  const root = chosen === undefined || chosen === "" ? join(homedir(), ".cache") : chosen;
  const name = `fabric-v${RELEASE.version}-${pinned.digest("hex").slice(0, 12)}-${process.platform}-${process.arch}`;
  return join(root, "veilgrid", name);
}

/** Says every few seconds how far a build has come. */
function progress(say: Say): (text: string) => void {
  const start = performance.now();
  let packages = 0;
  let last = start;
  return (text) => {
    packages += text.split("\n").length - 1;
    const now = performance.now();
    if (now - last < 5000) return;
    last = now;
    say(`  ${packages} packages compiled or fetched, ${Math.round((now - start) / 1000)} s`);
  };
}

async function compile({ command, env }: Go, folder: string, say: Say): Promise<void> {
  const metadata = `${MODULE}/common/metadata`;
  const flags = `-s -w -X ${metadata}.Version=${RELEASE.version} -X ${metadata}.CommitSHA=${RELEASE.commit}`;
  const packages = COMMANDS.map((name) => `${MODULE}/cmd/${name}`);
  const said = await run(
    command,
    ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", `${folder}/`, ...packages],
    { cwd: TOOLS, env: { ...env, CGO_ENABLED: "0" }, timeout: HOUR, onStderr: progress(say) },
  );
  if (said.ok) return;
  throw new VeilgridError("fabric-build-failed", `Go could not build Fabric's commands:\n${tail(said.stderr)}`, {
    blame: "operator",
    retry: true,
  });
}

async function copyStockConfig({ command, env }: Go, folder: string): Promise<void> {
  const { stdout } = await must("go list", command, ["list", "-m", "-f", "{{.Dir}}", MODULE], { cwd: TOOLS, env });
  for (const name of STOCK) {
    copyFileSync(join(stdout.trim(), "sampleconfig", name), join(folder, name));
    chmodSync(join(folder, name), 0o644);
  }
}

/**
 * Builds Fabric's commands, with its stock configuration beside them, into a folder that is there as a whole or not at
 * all.
 * @throws VeilgridError `fabric-binaries-missing` without a Go that can, `fabric-build-failed` with Go's last lines.
 */
export async function buildBinaries(folder: string, say: Say): Promise<void> {
  const go = await findGo(TOOLS, say);
  say(`building Fabric ${RELEASE.version} with Go into ${folder}: once, some minutes`);
  const partial = `${folder}.partial-${process.pid}`;
  try {
    mkdirSync(join(partial, "config"), { recursive: true });
    await compile(go, partial, say);
    await copyStockConfig(go, join(partial, "config"));
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  say("built");
}
