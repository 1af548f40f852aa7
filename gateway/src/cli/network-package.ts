import { consortiumId, isVeilgridError, paramsCodec, toHex, VeilgridError } from "@veilgrid/protocol";
import type { Command } from "commander";
import { readBytes, writeWhole } from "../store/files.js";
import { examples, jsonOption } from "./options.js";
import { line, printFacts, printJson } from "./output.js";

interface PackageOptions {
  readonly params: string;
  readonly out: string;
  readonly label: string;
  readonly json?: boolean;
}

const NOTES = `Every organisation of the channel installs and approves the same package, without any address or secret in it: its id
binds the parameter set. "npm run fabric -- deploy" makes it by itself; this is for networks that others run.`;

/** `veilgrid network package`: the chaincode package that organisations approve. */
export function addNetworkPackage(parent: Command): void {
  parent
    .command("package")
    .description("make the chaincode-as-a-service package that a Fabric channel's organisations install and approve")
    .requiredOption("--params <file>", "version 1 of the parameter set")
    .requiredOption("--out <file>", "the package (.tgz)")
    .option("--label <label>", "what the package is called", "veilgrid_1")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid network package --params my-run/params.bin --out veilgrid.tgz"], NOTES))
    .action((options: PackageOptions) => makePackage(options));
}

async function makePackage({ params: file, out, label, json = false }: PackageOptions): Promise<void> {
  const params = await readParams(file);
  // Loaded when it is needed: contracts bring their runtime with them.
  const { ccaasPackage, packageId } = await import("@veilgrid/chaincode");
  const bytes = ccaasPackage(params, label);
  await writeWhole(out, bytes);
  const id = packageId(label, bytes);
  const consortium = toHex(consortiumId(params));
  if (json) printJson({ file: out, packageId: id, consortium });
  else {
    printFacts([
      ["package", out],
      ["package id", id],
      ["consortium", consortium],
    ]);
    line("Next:  peer lifecycle chaincode install, approveformyorg (with this package id) and commit");
  }
}

/** @throws VeilgridError `file-missing`, `wrong-params`. */
async function readParams(file: string): Promise<Uint8Array> {
  const bytes = await readBytes(file);
  if (bytes === undefined) {
    throw new VeilgridError("file-missing", `there is no file ${file}`, { facts: { file }, blame: "caller" });
  }
  // "The package contains version 1 of the parameter set": later ones come by blocks.
  if (versionOf(bytes) === 1) return bytes;
  throw new VeilgridError("wrong-params", `${file} is not version 1 of a parameter set`, {
    facts: { file },
    blame: "caller",
  });
}

function versionOf(bytes: Uint8Array): number | undefined {
  try {
    return paramsCodec.decode(bytes).version;
  } catch (error) {
    if (isVeilgridError(error)) return undefined;
    throw error;
  }
}
