import { consortiumId, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { readFileSync } from "node:fs";
import { aggregator, KGCBP } from "../../src/consortium.js";
import {
  CHAINCODE_FOLDER,
  deploy,
  freeze,
  heights,
  kill,
  leadingOrderer,
  networkStatus,
  organisationProcesses,
  start,
  stop,
  thaw,
  up,
  type Aggregator,
} from "../../src/index.js";
import { peerName } from "../../src/peers.js";
import { failure } from "../failure.js";
import { networkParams } from "../params.js";
import { otherCode, RunningNetwork } from "../running.js";

const BASE_PORT = 18_250;

describe("a network with an organisation that is not there", () => {
  const network = new RunningNetwork();
  const params = networkParams(4, { maxRegionMeters: 1500 });
  const consortium = toHex(consortiumId(params));
  const [da1, da2, da3]: readonly [Aggregator, Aggregator, Aggregator] = [aggregator(1), aggregator(2), aggregator(3)];
  const said: string[] = [];
  const say = (text: string): void => {
    said.push(text);
  };

  before(() => up(network.root, { basePort: BASE_PORT }, say));
  beforeEach(() => {
    said.length = 0;
  });
  after(() => network.remove());

  async function expectAnswer(gateway: Aggregator | typeof KGCBP): Promise<void> {
    expect(JSON.parse(await network.query(gateway, "consortium")), gateway.name).to.include({ consortium });
  }

  it("deploys with the others, and says who has still to approve", async () => {
    const { site } = network;
    for (const name of organisationProcesses(site, da3)) await kill(site, name);
    const deployment = await deploy(site, { params, code: CHAINCODE_FOLDER }, say);
    expect(deployment).to.include({ committed: true, sequence: 1 });
    expect([...deployment.approvedBy].sort()).to.deep.equal(["da0", "da1", "da2", "kgcbp"]);
    expect(said.at(-1)).to.equal("still to install and approve: da3; start them, and deploy again");
    const status = await networkStatus(site);
    expect(status.notApproved).to.deep.equal(["da3"]);
    expect(status.processes.filter(({ state }) => state === "stopped").map(({ name }) => name)).to.deep.equal([
      "orderer.da3",
      "peer.da3",
      "chaincode.da3.v1",
    ]);
    expect(await network.submit(da1, "setup")).to.equal(consortium);
    await expectAnswer(KGCBP);
  });

  it("waits for endorsements as long as the largest region takes: peers that would not are restarted", async () => {
    const { site } = network;
    const { pid } = (await networkStatus(site)).processes.find(({ name }) => name === peerName(da1)) ?? {};
    const environment = readFileSync(`/proc/${pid ?? ""}/environ`, "latin1").split("\0");
    expect(environment).to.include("CORE_PEER_GATEWAY_ENDORSEMENTTIMEOUT=8s");
  });

  it("is up when that organisation's processes run again, and says what is left to do", async () => {
    await up(network.root, {}, say);
    expect(said.at(-1)).to.equal("still to install and approve the chaincode: da3; `deploy` does that");
    expect((await networkStatus(network.site)).state).to.equal("running");
    await network.sameHeight();
  });

  it("does at the next deploy what is left, and nothing else", async () => {
    const { site } = network;
    const before = network.pids();
    const deployment = await deploy(site, { params, code: CHAINCODE_FOLDER }, say);
    expect(deployment).to.include({ committed: true, sequence: 1 });
    expect([...deployment.approvedBy].sort()).to.deep.equal(["da0", "da1", "da2", "da3", "kgcbp"]);
    expect(said[0]).to.match(/^da3: installing and approving /);
    expect((await networkStatus(site)).notApproved).to.deep.equal([]);
    expect(network.pids()).to.deep.equal(before);
    await expectAnswer(da3);
  });

  it("tells which processes are frozen, and upgrades without them", async () => {
    const { site } = network;
    const frozen = organisationProcesses(site, da2);
    expect(frozen).to.deep.equal(["peer.da2", "orderer.da2", "chaincode.da2.v1"]);
    for (const name of frozen) await freeze(site, name);
    const status = await networkStatus(site);
    expect(status).to.deep.include({ state: "mixed", frozen: ["orderer.da2", "peer.da2", "chaincode.da2.v1"] });
    const deployment = await deploy(site, { params, code: otherCode(network.root) }, say);
    expect(deployment).to.include({ committed: true, sequence: 2 });
    expect((await networkStatus(site)).notApproved).to.deep.equal(["da2"]);
    await expectAnswer(da1);
    for (const name of ["peer.da2", "orderer.da2"]) await thaw(site, name);
    await network.sameHeight();
    await up(network.root, {}, say);
    expect((await deploy(network.site, { params, code: otherCode(network.root) }, say)).sequence).to.equal(2);
    expect(await networkStatus(site)).to.deep.include({ state: "running", frozen: [], notApproved: [] });
    await expectAnswer(da2);
  });

  it("stops and starts single processes, and tells the heights of those that run", async () => {
    const { site } = network;
    const leader = await leadingOrderer(site);
    const other = site.aggregators.map(({ name }) => `orderer.${name}`).find((name) => name !== leader) as string;
    await stop(site, other);
    const known = await heights(site);
    expect([...known.keys()]).not.to.include(other);
    expect(known.size).to.equal(8);
    await start(site, other);
    await network.sameHeight();
    expect((await failure(() => kill(site, "peer.da9"))).code).to.equal("no-process");
    await stop(site, other);
    expect((await failure(() => freeze(site, other))).code).to.equal("process-stopped");
    await start(site, other);
  });

  it("does not deploy with fewer than Q aggregators", async () => {
    const { site } = network;
    for (const da of [da2, da3]) await stop(site, peerName(da));
    const error = await failure(() => deploy(site, { params, code: CHAINCODE_FOLDER }, say));
    expect(error.code).to.equal("too-few-organisations");
    expect(error.facts).to.deep.equal({ needed: 3, able: "da0, da1, kgcbp" });
  });
});
