import { VeilgridError } from "@veilgrid/protocol";
import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { run } from "./command.js";
import { buildBinaries, cacheFolder } from "./gobuild.js";

/** Fabric's commands, and where its stock core.yaml and orderer.yaml lie. */
export interface Binaries {
  readonly folder: string;
  readonly config: string;
  /** "3.1.1" */
  readonly version: string;
}

/** All that is built; what a network cannot do without stands first. */
export const NEEDED = ["peer", "orderer", "configtxgen", "cryptogen", "osnadmin", "configtxlator"] as const;

/** Where a user says Fabric's commands are. */
export const FOLDER_VARIABLE = "VEILGRID_FABRIC_BIN";

const WANTED = /^3\.1\.\d+$/;

/** The version in what `peer version` says. */
export function versionIn(text: string): string | undefined {
  return /^\s*Version:\s*v?(\S+)/m.exec(text)?.[1];
}

function incomplete(folder: string): string[] {
  return NEEDED.filter((name) => !existsSync(join(folder, name)));
}

/** fabric-samples and Fabric's releases keep `config` beside `bin`. */
function configOf(folder: string): string | undefined {
  const places = [join(folder, "config"), join(dirname(folder), "config"), process.env.FABRIC_CFG_PATH ?? ""];
  return places.find((place) => existsSync(join(place, "core.yaml")) && existsSync(join(place, "orderer.yaml")));
}

function unusable(folder: string, why: string): VeilgridError {
  return new VeilgridError("fabric-binaries-unusable", `Fabric's commands in ${folder} cannot be used: ${why}`, {
    facts: { folder, why },
    blame: "operator",
  });
}

/** Fabric's version of a folder's peer and orderer. @throws VeilgridError `fabric-binaries-unusable` unless both are 3.1.x. */
async function requireVersion(folder: string): Promise<string> {
  const said = await Promise.all(["peer", "orderer"].map((name) => run(join(folder, name), ["version"])));
  const versions = said.map(({ stdout, stderr }) => versionIn(stdout + stderr) ?? "unknown");
  const wrong = versions.find((version) => !WANTED.test(version));
  if (wrong !== undefined) throw unusable(folder, `version ${wrong}, and 3.1.x is needed`);
  return versions[0] as string;
}

/** The commands of a folder that a user names. @throws VeilgridError `fabric-binaries-unusable`. */
export async function binariesIn(named: string): Promise<Binaries> {
  const folder = resolve(named);
  const missing = incomplete(folder);
  if (missing.length > 0) throw unusable(folder, `${missing.join(", ")} missing`);
  const version = await requireVersion(folder);
  const config = configOf(folder);
  if (config === undefined) throw unusable(folder, "no core.yaml and orderer.yaml in ../config or FABRIC_CFG_PATH");
  return { folder, config, version };
}

/** The folder of PATH that has all of Fabric's commands, whatever their version. */
function folderOnPath(): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).find((folder) => folder !== "" && incomplete(folder).length === 0);
}

async function suitableOnPath(say: (text: string) => void): Promise<Binaries | undefined> {
  const folder = folderOnPath();
  if (folder === undefined) return undefined;
  try {
    return await binariesIn(folder);
  } catch (error) {
    if (!(error instanceof VeilgridError)) throw error;
    say(`${error.message}; building them instead`);
    return undefined;
  }
}

/**
 * Fabric's commands: those of the folder that the user names (an option, or VEILGRID_FABRIC_BIN), of PATH, of the
 * cache, or built into the cache.
 * @throws VeilgridError `fabric-binaries-unusable` for a named folder, `fabric-binaries-missing`, `fabric-build-failed`.
 */
export async function findBinaries(named: string | undefined, say: (text: string) => void): Promise<Binaries> {
  const chosen = named ?? process.env[FOLDER_VARIABLE];
  if (chosen !== undefined && chosen !== "") return binariesIn(chosen);
  const onPath = await suitableOnPath(say);
  if (onPath !== undefined) return onPath;
  const cached = cacheFolder();
  if (!existsSync(cached)) await buildBinaries(cached, say);
  return binariesIn(cached);
}
