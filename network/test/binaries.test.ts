import { expect } from "chai";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binariesIn, findBinaries, FOLDER_VARIABLE, NEEDED, versionIn } from "../src/binaries.js";
import { failure } from "./failure.js";
import { temporaryFolder } from "./temporary.js";

const quiet = (): void => undefined;

describe("Fabric's commands", () => {
  const root = temporaryFolder();
  const environment = { ...process.env };
  let count = 0;

  afterEach(() => {
    process.env = { ...environment };
  });

  /** A folder like that of Fabric's release, whose commands only tell a version. */
  function release(
    version: string,
    { config = true, names = NEEDED }: { config?: boolean; names?: readonly string[] } = {},
  ): string {
    count += 1;
    const folder = join(root, String(count));
    mkdirSync(join(folder, "bin"), { recursive: true });
    for (const name of names) {
      const file = join(folder, "bin", name);
      writeFileSync(file, `#!/bin/sh\necho '${name}:'\necho ' Version: ${version}'\n`);
      chmodSync(file, 0o755);
    }
    if (config) {
      mkdirSync(join(folder, "config"));
      for (const name of ["core.yaml", "orderer.yaml"]) writeFileSync(join(folder, "config", name), "");
    }
    return join(folder, "bin");
  }

  it("tell their version", () => {
    expect(versionIn("peer:\n Version: v3.1.1\n Commit SHA: 435a7f1a7\n")).to.equal("3.1.1");
    expect(versionIn("orderer:\n Version: 3.1.4\n")).to.equal("3.1.4");
    expect(versionIn("Usage: peer")).to.equal(undefined);
  });

  it("may be the user's own, of any 3.1.x", async () => {
    const folder = release("v3.1.7");
    const found = await findBinaries(folder, quiet);
    expect(found).to.deep.equal({ folder, config: join(folder, "..", "config"), version: "3.1.7" });
  });

  it("are those of the variable, which an option outdoes", async () => {
    const [named, optional] = [release("3.1.2"), release("3.1.3")];
    process.env[FOLDER_VARIABLE] = named;
    expect((await findBinaries(undefined, quiet)).folder).to.equal(named);
    expect((await findBinaries(optional, quiet)).folder).to.equal(optional);
  });

  it("are those of PATH if they are of a version that fits", async () => {
    const folder = release("3.1.5");
    process.env[FOLDER_VARIABLE] = "";
    process.env.PATH = `${folder}:/usr/bin:/bin`;
    expect((await findBinaries(undefined, quiet)).folder).to.equal(folder);
  });

  it("are refused by name when they do not fit", async () => {
    for (const [folder, why] of [
      [release("v2.5.12"), /version 2\.5\.12/],
      [release("3.2.0"), /version 3\.2\.0/],
      [release("latest"), /version latest/],
      [release("3.1.1", { names: ["peer", "orderer"] }), /configtxgen, cryptogen, osnadmin, configtxlator missing/],
      [release("3.1.1", { config: false }), /no core\.yaml and orderer\.yaml/],
    ] as const) {
      process.env.FABRIC_CFG_PATH = "";
      const error = await failure(() => binariesIn(folder));
      expect(error.code).to.equal("fabric-binaries-unusable");
      expect(error.message).to.match(why);
    }
  });

  it("and no Go to build them: one message that says what to do", async () => {
    process.env[FOLDER_VARIABLE] = "";
    process.env.PATH = join(root, "nothing");
    process.env.XDG_CACHE_HOME = join(root, "cache");
    const error = await failure(() => findBinaries(undefined, quiet));
    expect(error.code).to.equal("fabric-binaries-missing");
    expect(error.message).to.match(/install Go.* or name a folder .*--binaries or VEILGRID_FABRIC_BIN/);
  });
});
