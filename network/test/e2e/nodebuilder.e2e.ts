import "../../src/quiet.js";
import { consortiumId, paramsCodec, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bindingVersion, makeChaincodeFolder } from "../../src/chaincode-folder.js";
import { tail } from "../../src/command.js";
import {
  aggregator,
  aggregators,
  CC,
  CHAINCODE,
  CHANNEL,
  endorsementPolicy,
  type Organisation,
} from "../../src/consortium.js";
import { NETWORK_MEMBERS, exampleParams } from "../../src/examples/members.js";
import { ordererTls, peerTls } from "../../src/identities.js";
import { up, withGateway, type Site } from "../../src/index.js";
import { peerCommand } from "../../src/peers.js";
import { HOST, isListening } from "../../src/ports.js";
import { lastLines } from "../../src/log.js";
import { waitFor } from "../../src/waiting.js";
import { RunningNetwork } from "../running.js";

const BASE_PORT = 18_550;
const quiet = (): void => undefined;

describe("the chaincode folder on a network, built by each peer itself", () => {
  const network = new RunningNetwork();
  const params = paramsCodec.encode(exampleParams(NETWORK_MEMBERS));
  const consortium = toHex(consortiumId(params));
  const at = (...path: string[]): string => join(network.root, "..", ...path);
  const label = `veilgrid_${bindingVersion(params)}`;
  const policy = ["--signature-policy", endorsementPolicy(aggregators(4))];
  const definition = ["-C", CHANNEL, "--name", CHAINCODE, "--version", "1.0", "--sequence", "1", ...policy];
  let site: Site;

  after(() => network.remove());

  async function peer(organisation: Organisation, ...args: string[]): Promise<string> {
    const said = await peerCommand(site, organisation, args);
    expect(said.ok, `${args.join(" ")}\n${tail(said.stderr)}`).to.equal(true);
    return said.stdout.trim();
  }

  const lifecycle = (organisation: Organisation, ...args: string[]): Promise<string> =>
    peer(organisation, "lifecycle", "chaincode", ...args);

  function throughOrderer(): string[] {
    const first = aggregator(0);
    const address = `${HOST}:${site.ports(first).orderer}`;
    return ["-o", address, "--tls", "--cafile", ordererTls(site.folder, first).authority];
  }

  /** What `peer` is told to ask the contract. */
  function asking(name: string): string[] {
    return ["chaincode", "query", "-C", CHANNEL, "-n", CHAINCODE, "-c", JSON.stringify({ Args: [name] })];
  }

  /** Packages a folder as Fabric's command does. @returns the file and its package id. */
  async function packaged(folder: string): Promise<{ readonly file: string; readonly id: string }> {
    const file = `${folder}.tgz`;
    await lifecycle(aggregator(0), "package", file, "--path", folder, "--lang", "node", "--label", label);
    return { file, id: await lifecycle(aggregator(0), "calculatepackageid", file) };
  }

  it("is packaged by Fabric's own command, under an id that its content gives", async () => {
    site = await up(network.root, { size: 4, basePort: BASE_PORT }, quiet);
    makeChaincodeFolder(params, at("chaincode"));
    const { id } = await packaged(at("chaincode"));
    expect(id).to.match(new RegExp(`^${label.replaceAll(/[.+]/g, "\\$&")}:[0-9a-f]{64}$`));
    expect((await packaged(at("chaincode"))).id).to.equal(id);
  });

  it("is installed by npm at every peer, approved and committed", async () => {
    const { file, id } = await packaged(at("chaincode"));
    await Promise.all(site.aggregators.map((da) => lifecycle(da, "install", file)));
    for (const da of site.aggregators) {
      await lifecycle(da, "approveformyorg", ...throughOrderer(), ...definition, "--package-id", id);
    }
    const endorsers = site.aggregators.flatMap((da) => [
      ...["--peerAddresses", `${HOST}:${site.ports(da).peer}`],
      ...["--tlsRootCertFiles", peerTls(site.folder, da).authority],
    ]);
    await lifecycle(aggregator(0), "commit", ...throughOrderer(), ...definition, ...endorsers);
  }).timeout(600_000);

  it("is started by every peer, and asked", async () => {
    // One after the other: all at once are slow on a small machine.
    for (const da of site.aggregators) {
      await waitFor(site.folder, { what: `the chaincode of ${da.name}`, within: 120_000, processes: [] }, async () => {
        const { stderr } = await peerCommand(site, da, asking("consortium"));
        return stderr.includes("not-set-up") ? [] : ["chaincode"];
      });
    }
  }).timeout(600_000);

  it("commits a set-up endorsed by real peers, and answers", async () => {
    await withGateway(site, aggregator(1), CC, async (gateway) => {
      const contract = gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
      const submitted = await contract.submitAsync("setup");
      expect((await submitted.getStatus()).successful).to.equal(true);
      expect(Buffer.from(submitted.getResult()).toString()).to.equal(consortium);
    });
    for (const da of site.aggregators) {
      const answer = JSON.parse(await peer(da, ...asking("consortium"))) as Record<string, unknown>;
      expect(answer, da.name).to.include({ consortium, params: toHex(params) });
    }
    const told = await peer(aggregator(3), ...asking("org.hyperledger.fabric:GetMetadata"));
    const { contracts } = JSON.parse(told) as { contracts: Record<string, { transactions: { name: string }[] }> };
    expect(contracts.veilgrid?.transactions.map(({ name }) => name)).to.include.members(["setup", "submitBlock"]);
  });

  it("refuses to start at an organisation whose own file differs under the same label", async () => {
    const da3 = aggregator(3);
    const other = paramsCodec.encode({ ...exampleParams(NETWORK_MEMBERS), maxWhPerPeriod: 1000 });
    makeChaincodeFolder(other, at("other"));
    const { file, id } = await packaged(at("other"));
    await lifecycle(da3, "install", file);
    // The organisation's own choice, which nobody else sees: the same definition with another package.
    await lifecycle(da3, "approveformyorg", ...throughOrderer(), ...definition, "--package-id", id);
    await waitFor(site.folder, { what: "another answer", within: 60_000, processes: [] }, async () => {
      const said = await peerCommand(site, da3, asking("consortium"));
      return said.ok ? ["peer.da3"] : [];
    });
    expect(lastLines(site.folder, "peer.da3", 2000)).to.include(
      `params.bin of this instance is not that of the approved package ${id}`,
    );
    expect(await network.query(aggregator(0), "consortium")).to.include(consortium);
  }).timeout(300_000);

  it("installs in an empty copy by `npm ci --omit=dev`, and starts there", () => {
    const copy = at("empty", "copy");
    cpSync(at("chaincode"), copy, { recursive: true });
    const npm = (...args: string[]): ReturnType<typeof spawnSync> =>
      spawnSync("npm", args, {
        cwd: copy,
        encoding: "utf8",
        env: { ...process.env, CORE_CHAINCODE_LOGGING_LEVEL: "error" },
      });
    expect(npm("ci", "--omit=dev").status).to.equal(0);
    expect(npm("run", "build").status).to.equal(0);
    const { stderr, stdout } = npm("start", "--", "--peer.address", "127.0.0.1:9");
    // Without the id that a peer gives it stops; it got that far with all that it needs.
    expect(`${String(stdout)}${String(stderr)}`).to.include("chaincode-id-name");
    expect(existsSync(join(copy, "node_modules", "fabric-shim"))).to.equal(true);
  }).timeout(180_000);

  it("serves there as fabric-samples' deployCCAAS runs it, under a package id that binds its parameters", async () => {
    const port = BASE_PORT + 60;
    const started = (id: string): ChildProcess =>
      spawn("npm", ["run", "server"], {
        cwd: at("empty", "copy"),
        env: {
          ...process.env,
          CHAINCODE_SERVER_ADDRESS: `${HOST}:${port}`,
          CHAINCODE_ID: id,
          CORE_CHAINCODE_ID_NAME: id,
        },
        stdio: "ignore",
      });
    const unbound = started(`veilgrid_1.0:${"0".repeat(64)}`);
    const [code] = (await once(unbound, "close")) as [number | null];
    expect(code).not.to.equal(0);
    const service = started(`${label}:${"0".repeat(64)}`);
    const ended = once(service, "close");
    await waitFor(site.folder, { what: "the service", within: 60_000, processes: [] }, async () =>
      (await isListening(port)) ? [] : ["service"],
    );
    service.kill();
    await ended;
    expect(await isListening(port)).to.equal(false);
  }).timeout(180_000);

  it("cannot tell its metadata with the class-transformer that npm would take without the pin", () => {
    const copy = at("empty", "unpinned");
    cpSync(at("chaincode"), copy, { recursive: true });
    rmSync(join(copy, "package-lock.json"));
    const { overrides, ...own } = JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect(overrides).to.deep.equal({ "class-transformer": "0.4.0" });
    writeFileSync(join(copy, "package.json"), JSON.stringify(own));
    expect(spawnSync("npm", ["install", "--omit=dev"], { cwd: copy }).status).to.equal(0);
    const script = `
      const { JSONSerializer } = require("fabric-contract-api");
      try { new JSONSerializer().toBuffer({ contracts: {} }); } catch (error) { console.log(error.message); }`;
    const env = { PATH: process.env.PATH, CORE_CHAINCODE_LOGGING_LEVEL: "CRITICAL" };
    const said = spawnSync(process.execPath, ["--input-type=commonjs", "--eval", script], {
      cwd: copy,
      encoding: "utf8",
      env,
    });
    expect(said.stdout).to.equal("classToPlain is not a function\n");
  }).timeout(180_000);
});
