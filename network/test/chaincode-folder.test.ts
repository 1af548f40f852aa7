import "../src/quiet.js";
import { ccaasPackage, packageId } from "@veilgrid/chaincode";
import { paramsCodec } from "@veilgrid/protocol";
import { expect } from "chai";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindingVersion, makeChaincodeFolder, TEMPLATE } from "../src/chaincode-folder.js";
import { failure } from "./failure.js";
import { networkParams } from "./params.js";
import { temporaryFolder } from "./temporary.js";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly integrity?: string; readonly resolved?: string }>
  >;
}

function packageIn(...path: string[]): Package {
  return JSON.parse(readFileSync(join(...path, "package.json"), "utf8")) as Package;
}

function lockIn(folder: string): Lock {
  return JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as Lock;
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

describe("the chaincode folder", () => {
  const root = temporaryFolder();
  const folder = join(root, "chaincode");
  const params = networkParams(4);
  const own = packageIn(TEMPLATE);

  before(() => {
    makeChaincodeFolder(params, folder);
  });

  it("has the parameter set, and no link and no path that leads out of it", () => {
    expect(readFileSync(join(folder, "params.bin"))).to.deep.equal(Buffer.from(params));
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => !entry.isFile() && !entry.isDirectory())).to.deep.equal([]);
    for (const file of filesIn(folder)) expect(readFileSync(file, "latin1"), file).not.to.include(REPOSITORY);
  });

  it("imports what is there, or what its package.json names", () => {
    const known = [...builtinModules.map((name) => `node:${name}`), ...Object.keys(own.dependencies)];
    const files = filesIn(join(folder, "dist"));
    expect(files.length).to.be.at.least(50);
    for (const file of files) {
      const code = readFileSync(file, "utf8");
      for (const [, name] of code.matchAll(/^(?:import "|(?:import|export)\b[^;"]* from ")([^"]+)"/gm)) {
        const imported = name as string;
        const found = imported.startsWith(".")
          ? existsSync(join(dirname(file), imported))
          : known.some((each) => imported === each || imported.startsWith(`${each}/`));
        expect(found, `${file}: ${imported}`).to.equal(true);
      }
    }
  });

  it("installs exactly what the contract and the protocol run with here", () => {
    const of = (name: string): Readonly<Record<string, string>> => packageIn(REPOSITORY, name).dependencies;
    const all = Object.entries({ ...of("protocol"), ...of("chaincode") });
    const foreign = all.filter(([name]) => !name.startsWith("@veilgrid/"));
    expect(own.dependencies).to.deep.equal(Object.fromEntries(foreign));
    for (const [name, version] of foreign) expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
  });

  it("has a lockfile that npm takes, with a hash for every package and no registry", () => {
    const { packages } = lockIn(folder);
    for (const [name, { integrity, resolved }] of Object.entries(packages)) {
      expect(resolved, name).to.equal(undefined);
      if (name !== "") expect(integrity, name).to.match(/^sha512-/);
    }
    const args = ["ci", "--dry-run", "--offline", "--ignore-scripts", "--omit=dev"];
    const { status, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
    expect(status, stderr).to.equal(0);
  });

  it("has the class-transformer with which the contract API tells its metadata, as this repository has", () => {
    const pinned = { "class-transformer": "0.4.0" };
    expect(own.overrides).to.deep.equal(pinned);
    expect(packageIn(REPOSITORY).overrides).to.deep.equal(pinned);
    for (const lock of [lockIn(folder), lockIn(REPOSITORY)]) {
      expect(lock.packages["node_modules/class-transformer"]?.version).to.equal("0.4.0");
    }
    const contractApi = createRequire(join(REPOSITORY, "chaincode", "package.json"))("fabric-contract-api") as {
      JSONSerializer: new () => { toBuffer(value: object): Buffer };
    };
    // With 0.4.1 this throws: classToPlain is not a function.
    expect(new contractApi.JSONSerializer().toBuffer({ contracts: {} }).toString()).to.equal('{"contracts":{}}');
  });

  it("is the same for the same parameters", () => {
    const again = join(root, "again");
    makeChaincodeFolder(params, again);
    const content = (from: string): string[] =>
      filesIn(from).map((file) => `${file.slice(from.length)} ${readFileSync(file, "hex")}`);
    expect(content(again)).to.deep.equal(content(folder));
  });

  it("is not made of another version, of nonsense, or where something is", async () => {
    const second = paramsCodec.encode({ ...paramsCodec.decode(params), version: 2 });
    const code = async (bytes: Uint8Array, to: string): Promise<string> =>
      (
        await failure(() => {
          makeChaincodeFolder(bytes, to);
        })
      ).code;
    expect(await code(second, join(root, "second"))).to.equal("not-version-1");
    expect(await code(params.subarray(1), join(root, "nonsense"))).to.equal("malformed");
    expect(await code(params, folder)).to.equal("folder-exists");
    for (const name of ["second", "nonsense"]) expect(existsSync(join(root, name)), name).to.equal(false);
  });

  it("is made by the commands of docs/test-network.md, for the two organisations there", () => {
    const document = readFileSync(join(REPOSITORY, "docs", "test-network.md"), "utf8");
    const commands = [...document.matchAll(/^npm run fabric -- (.+)$/gm)].map(([, args]) => args as string);
    expect(commands).to.have.length(2);
    const samples = join(root, "fabric-samples");
    mkdirSync(samples);
    const here = join(root, "here");
    mkdirSync(here);
    const said = commands.map((args) =>
      execFileSync(process.execPath, [join(REPOSITORY, "network", "bin", "fabric.js"), ...args.split(" ")], {
        cwd: here,
        encoding: "utf8",
      }),
    );
    const made = readFileSync(join(samples, "veilgrid-chaincode", "params.bin"));
    expect(paramsCodec.decode(made).da.map(({ msp }) => msp)).to.deep.equal(["Org1MSP", "Org2MSP"]);
    expect(said[1]).to.equal(`${bindingVersion(made)}\n`);
  });

  describe("started", () => {
    const installed = join(root, "installed");
    const named = `veilgrid_${bindingVersion(params)}:${"0".repeat(64)}`;

    before(() => {
      makeChaincodeFolder(params, installed);
      symlinkSync(join(REPOSITORY, "node_modules"), join(installed, "node_modules"));
    });

    /** What the entry that Fabric loads says when it is loaded: nothing, or why it does not start. */
    function loaded(env: Readonly<Record<string, string>>): string {
      const script = `import("./dist/src/package.js").then(
        ({ contracts }) => console.log(contracts[0].name),
        ({ code, message }) => console.error(code, message),
      )`;
      const { stdout, stderr } = spawnSync(process.execPath, ["--eval", script], {
        cwd: installed,
        env: { PATH: process.env.PATH, CORE_CHAINCODE_LOGGING_LEVEL: "CRITICAL", ...env },
        encoding: "utf8",
      });
      return stdout === "VeilgridContract\n" ? "" : stderr;
    }

    it("by a peer's own builder, it runs; under a label that names its parameters, too", () => {
      expect(loaded({ CORE_CHAINCODE_ID_NAME: `veilgrid_1.0:${"0".repeat(64)}` })).to.equal("");
      expect(loaded({ CORE_CHAINCODE_ID_NAME: named })).to.equal("");
    });

    it("as a service, it runs where the package binds its parameters, by its content or by its label", () => {
      const content = packageId("veilgrid_1", ccaasPackage(params, "veilgrid_1"));
      expect(loaded({ CHAINCODE_ID: content })).to.equal("");
      expect(loaded({ CHAINCODE_ID: named })).to.equal("");
      expect(loaded({ CORE_CHAINCODE_ID: named })).to.equal("");
      expect(loaded({ CHAINCODE_ID: `veilgrid_1.0:${"0".repeat(64)}` })).to.include("other-params");
    });

    it("does not run with another file than the approved package is of", () => {
      const other = networkParams(4, { maxWhPerPeriod: 1000 });
      writeFileSync(join(installed, "params.bin"), other);
      for (const variable of ["CORE_CHAINCODE_ID_NAME", "CHAINCODE_ID", "CORE_CHAINCODE_ID"]) {
        expect(loaded({ [variable]: named }), variable).to.include("other-params");
      }
      writeFileSync(join(installed, "params.bin"), params);
    });

    it("is named by the SHA-256 of its parameters", () => {
      expect(bindingVersion(params)).to.equal(`1.0-${createHash("sha256").update(params).digest("hex")}`);
    });
  });
});
