import { consortiumId, paramsCodec, toHex, type VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CHAINCODE,
  CHAINCODE_FOLDER,
  CHANNEL,
  deploy,
  down,
  KGCBP,
  networkProcesses,
  networkStatus,
  ordererLeader,
  ordererName,
  processStatus,
  reset,
  serviceName,
  signalProcess,
  up,
  withGateway,
  CC,
  type ServiceContent,
  type Site,
} from "../../src/index.js";
import { aggregator } from "../../src/consortium.js";
import { identityOf, stopProcess } from "../../src/process.js";
import { waitFor } from "../../src/waiting.js";
import { watch } from "../../src/watchdog.js";
import { failure } from "../failure.js";
import { networkParams } from "../params.js";
import { otherCode, RunningNetwork } from "../running.js";

const BASE_PORT = 18_050;
const quiet = (): void => undefined;

describe("a network of real peers, orderers and services", () => {
  const network = new RunningNetwork();
  const { root } = network;
  const params = networkParams(4);
  const content: ServiceContent = { params, code: CHAINCODE_FOLDER };
  const consortium = toHex(consortiumId(params));
  let site: Site;

  after(() => network.remove());

  async function pids(): Promise<(number | undefined)[]> {
    return (await networkStatus(site)).processes.map(({ pid }) => pid);
  }

  it("comes up in 20 s, endorsing through every gateway before any chaincode is there", async () => {
    const start = performance.now();
    site = await up(root, { size: 4, basePort: BASE_PORT }, quiet);
    expect(performance.now() - start).to.be.below(20_000);
    const { state, processes } = await networkStatus(site);
    expect(state).to.equal("running");
    expect(processes).to.have.length(10);
  });

  it("refuses another one on its ports, and leaves nothing of that", async () => {
    const other = join(root, "..", "other");
    const error = await failure(() => up(other, { basePort: BASE_PORT }, quiet));
    expect(error.code).to.equal("port-in-use");
    expect(error.message).to.include(`${BASE_PORT} (orderer.da0)`);
    await reset(other);
    expect(existsSync(other)).to.equal(false);
  });

  it("takes the parameters of its own consortium only", async () => {
    const decoded = paramsCodec.decode(params);
    const foreign = paramsCodec.encode({ ...decoded, da: decoded.da.slice(0, 3) });
    const error = await failure(() => deploy(site, { ...content, params: foreign }, quiet));
    expect(error.code).to.equal("params-of-other-network");
  });

  it("deploys the chaincode by Fabric's lifecycle, with the parameters in the package", async () => {
    const deployment = await deploy(site, content, quiet);
    expect(deployment.sequence).to.equal(1);
    const status = await networkStatus(site);
    expect(status.sequence).to.equal(1);
    expect(status.processes).to.have.length(15);
  });

  it("commits the set-up, and answers through every gateway, KGCBP's own peer among them", async () => {
    const { transactionId, result } = await withGateway(site, aggregator(1), KGCBP, async (gw) => {
      const contract = gw.getNetwork(CHANNEL).getContract(CHAINCODE);
      const submitted = await contract.submitAsync("setup");
      const status = await submitted.getStatus();
      expect(status.successful).to.equal(true);
      return { ...status, result: submitted.getResult() };
    });
    expect(transactionId).to.match(/^[0-9a-f]{64}$/);
    expect(Buffer.from(result).toString()).to.equal(consortium);
    await network.sameHeight();
    for (const gateway of site.withPeer) {
      const answer = JSON.parse(await network.query(gateway, "consortium")) as Record<string, unknown>;
      expect(answer, gateway.name).to.include({ consortium, version: 1, params: toHex(params) });
    }
  });

  it("does nothing when it is up and deployed", async () => {
    const before = await pids();
    await up(root, {}, quiet);
    expect((await deploy(site, content, quiet)).sequence).to.equal(1);
    expect(await pids()).to.deep.equal(before);
    expect((await failure(() => up(root, { size: 5 }, quiet))).code).to.equal("other-network");
  });

  it("does not deploy other parameters, which are for ever", async () => {
    const other = networkParams(4, { maxWhPerPeriod: 1000 });
    expect((await failure(() => deploy(site, { ...content, params: other }, quiet))).code).to.equal("params-bound");
  });

  it("refuses to start an instance whose parameters are not those of the package", async () => {
    const da2 = aggregator(2);
    const deployment = await deploy(site, content, quiet);
    const file = join(site.folder.service(deployment.label, da2), "params.bin");
    await stopProcess(site.folder, serviceName(da2, deployment));
    writeFileSync(file, networkParams(4, { maxWhPerPeriod: 1000 }));
    const error: VeilgridError = await failure(() => up(root, {}, quiet));
    expect(error.code).to.equal("process-died");
    expect(error.facts.process).to.equal(serviceName(da2, deployment));
    expect(error.message).to.include("params.bin of this instance is not that of the approved package");
    writeFileSync(file, params);
    await up(root, {}, quiet);
    expect((await networkStatus(site)).state).to.equal("running");
  });

  it("goes on when one aggregator's processes are killed, and has it catch up", async () => {
    const [da0, da3] = [aggregator(0), aggregator(3)];
    const names = networkProcesses(site).filter((name) => name.includes(".da3"));
    expect(names).to.have.length(3);
    for (const name of names) signalProcess(site.folder, name, "SIGKILL");
    expect(JSON.parse(await network.query(da0, "consortium"))).to.include({ consortium });
    expect((await networkStatus(site)).state).to.equal("mixed");
    await up(root, {}, quiet);
    await network.sameHeight();
    expect(JSON.parse(await network.query(da3, "consortium"))).to.include({ consortium });
  });

  it("upgrades to another version of the chaincode, answering all the while", async () => {
    const da0 = aggregator(0);
    const end = new AbortController();
    let answers = 0;
    const asking = (async () => {
      while (!end.signal.aborted) {
        expect(JSON.parse(await network.query(da0, "consortium"))).to.include({ consortium });
        answers += 1;
      }
    })();
    try {
      const deployment = await deploy(site, { params, code: otherCode(root) }, quiet);
      expect(deployment.sequence).to.equal(2);
    } finally {
      end.abort();
      await asking;
    }
    expect(answers).to.be.at.least(3);
    const { processes, sequence } = await networkStatus(site);
    expect(sequence).to.equal(2);
    const services = processes.filter(({ name }) => name.startsWith("chaincode."));
    expect(services.map(({ name }) => name)).to.include("chaincode.kgcbp.v2");
    for (const gateway of site.withPeer) {
      expect(JSON.parse(await network.query(gateway, "consortium")), gateway.name).to.include({ consortium });
    }
  });

  /** Waits until no process has one of the numbers: one that has ended keeps its own until its parent, this one, takes note. */
  async function gone(numbers: readonly number[]): Promise<void> {
    await waitFor(site.folder, { what: "the end of all processes", within: 5000, processes: [] }, () =>
      Promise.resolve(numbers.filter((pid) => identityOf(pid) !== undefined).map(String)),
    );
  }

  /** Asks for something to be ordered, and does not wait for it. */
  function order(): Promise<void> {
    return withGateway(site, aggregator(3), CC, async (gateway) => {
      const contract = gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
      const transaction = await contract.newProposal("consortium").endorse();
      await transaction.submit().catch(quiet);
    });
  }

  /** Has the watchdog look for a while, or until it has restarted something. */
  async function watched(milliseconds: number): Promise<string[]> {
    const done = new AbortController();
    const said: string[] = [];
    const say = (text: string): void => {
      said.push(text);
      if (text.startsWith("restarted")) done.abort();
    };
    // Not AbortSignal.any of a timeout: Node 20 may collect the timeout as garbage before it comes.
    const over = setTimeout(() => {
      done.abort();
    }, milliseconds);
    try {
      await Promise.all([watch(network.root, say, { look: 200, stuck: 2000 }, done.signal), order()]);
    } finally {
      clearTimeout(over);
    }
    return said;
  }

  /** Has one more block written, by orderers that can: whom they then take for their leader is known, too. */
  async function newBlock(): Promise<void> {
    const height = await network.sameHeight();
    await order();
    await waitFor(site.folder, { what: "a block", within: 60_000, processes: [] }, async () =>
      (await network.sameHeight()) > height ? [] : ["a block"],
    );
  }

  it("leaves orderers alone that are too few", async () => {
    const frozen = ["orderer.da2", "orderer.da3"];
    for (const name of frozen) signalProcess(site.folder, name, "SIGSTOP");
    try {
      expect(await watched(8000)).to.deep.equal([]);
    } finally {
      for (const name of frozen) signalProcess(site.folder, name, "SIGCONT");
    }
    await network.sameHeight();
  });

  /** What the watchdog says when the leading orderer was killed, and that it restarted those that it should. */
  async function watchedWithoutLeader(): Promise<string[]> {
    // Those that were frozen may have changed their leader since, which an orderer tells only with its next block.
    await newBlock();
    const leader = ordererName(await ordererLeader(site));
    const running = site.aggregators.map(ordererName).filter((name) => name !== leader);
    const before = running.map((name) => processStatus(site.folder, name).pid);
    signalProcess(site.folder, leader, "SIGKILL");
    try {
      const said = await watched(15_000);
      if (said.length === 0) return said;
      expect(said).to.deep.equal(["no block for 2 s though requests wait", `restarted ${running.join(", ")}`]);
      expect(processStatus(site.folder, leader).state).to.equal("stopped");
      for (const [i, name] of running.entries()) {
        expect(processStatus(site.folder, name).state, name).to.equal("running");
        expect(processStatus(site.folder, name).pid, name).not.to.equal(before[i]);
      }
      return said;
    } finally {
      await up(root, {}, quiet);
    }
  }

  it("restarts orderers that could order and do not, those that run", async () => {
    // Until they notice that the leader is gone, the others are as stuck as after a failed change of view. The freeze
    // before may have their patience end within 2 s: then they have another leader and a block, and the next one goes.
    let said: string[] = [];
    for (let trial = 0; trial < 3 && said.length === 0; trial++) said = await watchedWithoutLeader();
    expect(said).to.have.length(2);
    await newBlock();
  });

  it("goes down without a process left, and comes up again with its ledger", async () => {
    const before = await network.sameHeight();
    const numbers = (await pids()).filter((pid) => pid !== undefined);
    expect(numbers).to.have.length(15);
    await down(root);
    await gone(numbers);
    expect((await networkStatus(site)).state).to.equal("stopped");
    const start = performance.now();
    await up(root, {}, quiet);
    expect(performance.now() - start).to.be.below(20_000);
    expect(await network.sameHeight()).to.equal(before);
    expect(JSON.parse(await network.query(KGCBP, "consortium"))).to.include({ consortium });
  });

  it("leaves no file and no process after a reset", async () => {
    const numbers = (await pids()).filter((pid) => pid !== undefined);
    await reset(root);
    expect(existsSync(root)).to.equal(false);
    await gone(numbers);
  });
});
