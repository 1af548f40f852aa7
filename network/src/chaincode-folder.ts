import { namingVersion } from "@veilgrid/chaincode";
import { paramsCodec, VeilgridError } from "@veilgrid/protocol";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CHAINCODE_FOLDER } from "./chaincode.js";

/** What the folder has besides compiled code: package.json, its lockfile, a Dockerfile. */
export const TEMPLATE = fileURLToPath(new URL("../../chaincode-folder", import.meta.url));
const PROTOCOL_CODE = fileURLToPath(new URL("../../../protocol/dist/src", import.meta.url));

/** Where the folder has the contract, as Fabric's package.json says, and what the contract imports. */
const CONTRACT = join("dist", "src");
const PROTOCOL = join("dist", "protocol");

/** Compiled files of a folder, as paths below it. */
function compiledIn(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .sort();
}

/**
 * Nothing but what npm's registries have can be installed, so what is this repository's own is imported by its place.
 * The maps are not there.
 */
function selfContained(code: string, file: string): string {
  const place = relative(dirname(file), join(PROTOCOL, "index.js"));
  return code.replaceAll('from "@veilgrid/protocol"', `from "${place}"`).replace(/^\/\/# sourceMappingURL=.*\n?/m, "");
}

function copyCode(from: string, root: string, to: string): void {
  for (const name of compiledIn(from)) {
    const file = join(to, name);
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), selfContained(readFileSync(join(from, name), "utf8"), file));
  }
}

/**
 * Makes a folder with the compiled chaincode, its lockfile and a parameter set, that needs nothing of this repository:
 * Fabric's Node builder, fabric-samples' `deployCC` and `deployCCAAS`, or `npm ci && npm start` run it as it is. Equal
 * parameters and code give equal files.
 * @param folder must not be there yet.
 * @param code another compiled chaincode than this checkout's.
 * @throws VeilgridError `folder-exists`, or what the codec throws for bytes that are no parameter set.
 */
export function makeChaincodeFolder(params: Uint8Array, folder: string, code = CHAINCODE_FOLDER): void {
  const { version } = paramsCodec.decode(params);
  if (version !== 1) {
    throw new VeilgridError("not-version-1", `a chaincode holds version 1 of the parameter set, not ${version}`, {
      facts: { version },
      blame: "caller",
    });
  }
  const root = resolve(folder);
  if (existsSync(root)) {
    throw new VeilgridError("folder-exists", `${folder} is there already; a chaincode folder is made anew`, {
      facts: { folder },
      blame: "caller",
    });
  }
  const partial = `${root}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  for (const name of readdirSync(TEMPLATE)) {
    if (name !== "node_modules") cpSync(join(TEMPLATE, name), join(partial, name));
  }
  copyCode(join(code, "dist", "src"), partial, CONTRACT);
  copyCode(PROTOCOL_CODE, partial, PROTOCOL);
  writeFileSync(join(partial, "params.bin"), params);
  renameSync(partial, root);
}

/** The version by which Fabric's own scripts bind a parameter set, for people to copy. */
export function bindingVersion(params: Uint8Array): string {
  return namingVersion("1.0", params);
}
