import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./temporary.js";

const BUILDER = fileURLToPath(new URL("../../builder/bin", import.meta.url));

describe("the external builder", () => {
  const root = temporaryFolder();
  const at = (...path: string[]): string => join(root, ...path);

  before(() => {
    for (const name of ["source", "metadata", "output", "release", "connections"]) mkdirSync(at(name));
  });

  function metadata(type: string): void {
    // As the peer writes it, not as the package has it.
    writeFileSync(at("metadata", "metadata.json"), JSON.stringify({ path: "", type, label: "veilgrid_2-0a1b2c3d" }));
  }

  function script(name: string, ...folders: string[]): number | null {
    const env = { PATH: process.env.PATH, VEILGRID_CCAAS_CONNECTIONS: at("connections") };
    return spawnSync(
      join(BUILDER, name),
      folders.map((folder) => at(folder)),
      { env },
    ).status;
  }

  it("takes services, and leaves the rest to others", () => {
    metadata("node");
    expect(script("detect", "source", "metadata")).to.equal(1);
    metadata("ccaas");
    expect(script("detect", "source", "metadata")).to.equal(0);
  });

  it("tells the peer where its own organisation's service of that label listens", () => {
    writeFileSync(at("connections", "veilgrid_2-0a1b2c3d.json"), '{"address":"127.0.0.1:1"}');
    expect(script("build", "source", "metadata", "output")).to.equal(0);
    expect(script("release", "output", "release")).to.equal(0);
    const connection = readFileSync(at("release", "chaincode", "server", "connection.json"), "utf8");
    expect(connection).to.equal('{"address":"127.0.0.1:1"}');
  });

  it("fails the installation where the organisation has no service", () => {
    writeFileSync(at("output", "metadata.json"), '{"type":"ccaas","label":"other"}');
    expect(script("release", "output", "release")).not.to.equal(0);
  });
});
