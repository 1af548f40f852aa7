import "../src/quiet.js";
import { ccaasPackage, namingVersion, packageId, requireApproved, requireNamed } from "@veilgrid/chaincode";
import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "./failure.js";
import { temporaryFolder } from "./temporary.js";

const PARAMS = Uint8Array.from({ length: 282 }, (_, i) => i % 251);

describe("the package of a chaincode service", () => {
  const folder = temporaryFolder();

  it("has the same id on every machine", () => {
    const bytes = ccaasPackage(PARAMS, "veilgrid_1");
    expect(packageId("veilgrid_1", bytes)).to.equal(
      "veilgrid_1:32741ea2acf8bc0550a6e8aef5c8138c093e6801bd13eef674c2d7641637fad5",
    );
  });

  it("is what tar and gzip read: the type and label, and the parameter set", () => {
    const at = (...path: string[]): string => join(folder, ...path);
    mkdirSync(at("code"));
    writeFileSync(at("package.tgz"), ccaasPackage(PARAMS, "veilgrid_1"));
    const unpack = (file: string, to: string): void => void execFileSync("tar", ["-xzf", at(file), "-C", at(to)]);
    unpack("package.tgz", ".");
    unpack("code.tar.gz", "code");
    expect(JSON.parse(readFileSync(at("metadata.json"), "utf8"))).to.deep.equal({ type: "ccaas", label: "veilgrid_1" });
    expect(Uint8Array.from(readFileSync(at("code", "params.bin")))).to.deep.equal(PARAMS);
    expect(execFileSync("tar", ["-tzf", at("code.tar.gz")], { encoding: "utf8" })).to.equal("params.bin\n");
  });

  it("holds more than one block of gzip takes", () => {
    const large = new Uint8Array(200_000).fill(7);
    writeFileSync(join(folder, "large.tgz"), ccaasPackage(large, "large"));
    execFileSync("tar", ["-xzf", join(folder, "large.tgz"), "-C", folder]);
    const content = execFileSync("tar", ["-xzOf", join(folder, "code.tar.gz"), "params.bin"]);
    expect(Uint8Array.from(content)).to.deep.equal(large);
  });

  it("binds its service to its parameters", async () => {
    const id = packageId("veilgrid_1", ccaasPackage(PARAMS, "veilgrid_1"));
    requireApproved(PARAMS, id);
    const other = PARAMS.with(100, 0xff);
    const error = await failure(() => {
      requireApproved(other, id);
    });
    expect(error.code).to.equal("other-params");
    expect(error.facts.approved).to.equal(id);
    expect(
      (
        await failure(() => {
          requireApproved(PARAMS, id.replace("_1", "_2"));
        })
      ).code,
    ).to.equal("other-params");
  });

  it("binds them by its label where Fabric's own scripts make a package without them", async () => {
    const version = namingVersion("1.0", PARAMS);
    expect(version).to.match(/^1\.0-[0-9a-f]{64}$/);
    const id = `veilgrid_${version}:${"0".repeat(64)}`;
    requireApproved(PARAMS, id);
    expect(requireNamed(PARAMS, id)).to.equal(true);
    expect(requireNamed(PARAMS, `veilgrid_1.0-d2a1:${"0".repeat(64)}`)).to.equal(false);
    for (const check of [requireApproved, requireNamed]) {
      const error = await failure(() => {
        check(PARAMS.with(100, 0xff), id);
      });
      expect(error.code).to.equal("other-params");
    }
  });

  it("has a label that Fabric takes", async () => {
    for (const label of ["", "_1", "a b", "a:b", "ä", "x".repeat(101)]) {
      const error = await failure(() => ccaasPackage(PARAMS, label));
      expect(error.code, label).to.equal("bad-label");
    }
  });
});
