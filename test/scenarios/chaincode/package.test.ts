import "@veilgrid/gateway";
import { expect } from "chai";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { paramsCodec } from "@veilgrid/protocol";
import { paramsOf } from "../../src/consortium/members.js";

interface Package {
  readonly contracts: readonly (new () => { getName(): string })[];
}

describe("the chaincode package", () => {
  let folder: string;

  /** The package as an organisation installs it: compiled code, and the parameter set beside package.json. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "veilgrid-package-"));
    const compiled = dirname(fileURLToPath(import.meta.resolve("@veilgrid/chaincode")));
    cpSync(compiled, join(folder, "dist", "src"), { recursive: true });
    cpSync(join(compiled, "../../package.json"), join(folder, "package.json"));
    symlinkSync(fileURLToPath(new URL("../../../../node_modules", import.meta.url)), join(folder, "node_modules"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function load(): Promise<Package> {
    return (await import(pathToFileURL(join(folder, "dist", "src", "package.js")).href)) as Package;
  }

  it("binds the contract to the parameter set that lies in it", async () => {
    writeFileSync(join(folder, "params.bin"), paramsCodec.encode(paramsOf()));
    const { contracts } = await load();
    expect(contracts.map((Contract) => new Contract().getName())).to.deep.equal(["veilgrid"]);
  });

  it("does not start without one", async () => {
    const error: unknown = await load().catch((reason: unknown) => reason);
    expect(error).to.include({ code: "ENOENT" });
  });
});
