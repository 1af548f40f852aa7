import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./temporary.js";

const BUILDER = fileURLToPath(new URL("../../builder/node/bin", import.meta.url));

/** What the chaincode of this test does when it is started: it tells what it was started with. */
const STARTED = `const { CORE_CHAINCODE_ID_NAME, CORE_PEER_LOCALMSPID, CORE_PEER_TLS_ENABLED } = process.env;
const { readFileSync } = require("node:fs");
const read = (name) => readFileSync(process.env[name], "utf8");
const files = ["CORE_PEER_TLS_ROOTCERT_FILE", "CORE_TLS_CLIENT_CERT_PATH", "CORE_TLS_CLIENT_KEY_PATH"].map(read);
const said = { CORE_CHAINCODE_ID_NAME, CORE_PEER_LOCALMSPID, CORE_PEER_TLS_ENABLED, files, args: process.argv.slice(2) };
require("node:fs").writeFileSync("started.json", JSON.stringify(said));
process.exit(Number(process.env.TEST_EXIT ?? 0));
`;

describe("the external builder of type node", () => {
  const root = temporaryFolder();
  const at = (...path: string[]): string => join(root, ...path);

  before(() => {
    for (const name of ["source/src", "metadata", "output", "release", "run"]) mkdirSync(at(name), { recursive: true });
    const own = { name: "chaincode", version: "1.0.0", scripts: { start: "exec node started.cjs" } };
    writeFileSync(at("source", "src", "package.json"), JSON.stringify(own));
    const lock = { ...own, lockfileVersion: 3, requires: true, packages: { "": own } };
    writeFileSync(at("source", "src", "package-lock.json"), JSON.stringify(lock));
    writeFileSync(at("source", "src", "started.cjs"), STARTED);
    writeFileSync(at("source", "src", ".npmrc"), "audit=false\n");
  });

  function script(name: string, folders: readonly string[], env: Readonly<Record<string, string>> = {}): number | null {
    const { PATH, HOME } = process.env;
    const paths = folders.map((folder) => at(folder));
    return spawnSync(join(BUILDER, name), paths, { env: { PATH, HOME, npm_config_offline: "true", ...env } }).status;
  }

  it("takes what `peer lifecycle chaincode package --lang node` makes, and nothing else", () => {
    const metadata = (type: string): void => {
      writeFileSync(at("metadata", "metadata.json"), JSON.stringify({ path: "/a", type, label: "veilgrid_1.0" }));
    };
    metadata("ccaas");
    expect(script("detect", ["source", "metadata"])).to.equal(1);
    metadata("node");
    expect(script("detect", ["source", "metadata"])).to.equal(0);
  });

  it("copies all of it and installs by the lockfile", () => {
    expect(script("build", ["source", "metadata", "output"])).to.equal(0);
    expect(readFileSync(at("output", "started.cjs"), "utf8")).to.equal(STARTED);
    expect(readFileSync(at("output", ".npmrc"), "utf8")).to.equal("audit=false\n");
    expect(script("release", ["output", "release"])).to.equal(0);
  });

  it("fails where package.json and the lockfile do not fit", () => {
    const file = at("source", "src", "package.json");
    const before = readFileSync(file, "utf8");
    writeFileSync(
      file,
      JSON.stringify({ name: "chaincode", version: "1.0.0", dependencies: { "fabric-shim": "2.5.8" } }),
    );
    mkdirSync(at("other"));
    expect(script("build", ["source", "metadata", "other"])).not.to.equal(0);
    writeFileSync(file, before);
  });

  it("starts it as Fabric's image does, with the certificates in the forms that fabric-shim reads", () => {
    const connection = {
      ...{ chaincode_id: "veilgrid_1.0:00", mspid: "DA0MSP", peer_address: "127.0.0.1:1" },
      ...{
        client_cert: "a client's certificate\n",
        client_key: "its key\n",
        root_cert: "an authority's certificate\n",
      },
    };
    writeFileSync(at("run", "chaincode.json"), JSON.stringify(connection));
    expect(script("run", ["output", "run"])).to.equal(0);
    expect(JSON.parse(readFileSync(at("output", "started.json"), "utf8"))).to.deep.equal({
      CORE_CHAINCODE_ID_NAME: "veilgrid_1.0:00",
      CORE_PEER_LOCALMSPID: "DA0MSP",
      CORE_PEER_TLS_ENABLED: "true",
      files: ["an authority's certificate\n", "YSBjbGllbnQncyBjZXJ0aWZpY2F0ZQo=", "aXRzIGtleQo="],
      args: ["--peer.address", "127.0.0.1:1"],
    });
    expect(statSync(at("output", "client.key")).mode & 0o777).to.equal(0o600);
  });

  it("ends as it ends", () => {
    expect(script("run", ["output", "run"], { TEST_EXIT: "3" })).to.equal(3);
  });
});
