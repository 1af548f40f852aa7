import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  aggregators,
  freeze,
  heights,
  kill,
  lastLines,
  leadingOrderer,
  ordererName,
  organisationProcesses,
  partProcess,
  peerName,
  Site,
  start,
  thaw,
  type Aggregator,
} from "@veilgrid/network";
import { REPOSITORY } from "../src/documents/repository.js";
import { scratchFolder } from "../src/world/scratch.js";
import { longestPause, sameHeight } from "./blocks.js";
import { Program } from "./program.js";

const BASE_PORT = 26_000;

/** Six hours of 50 real homes. In the sixth of twelve periods the leader among the aggregators is killed. */
const HOMES = join(REPOSITORY, "data", "sgsc", "sgsc50_2013-04-08_30d_wide.csv");
const RUN = `--readings ${HOMES} --regions 2 --periods 12 --price linear:200000,10000 --fault kill-leader@5 --seed 11`;
const PROFILE = "network/profile.json";
const FABRIC = `--ledger fabric --profile ${PROFILE}`;

/** Seconds: Forward and Complain of the network's SmartBFT, and 5 s for the change of leader. */
const LEADER_LOST = 1 + 10 + 5;

const PROGRESS = /periods on the ledger \d+\/24/;

interface Standings {
  readonly agree: boolean;
  readonly height: string;
  readonly peers: readonly { readonly msp: string; readonly height: string; readonly common: object }[];
}

describe("a run on real Fabric with faults in its middle", function () {
  this.timeout(600_000);
  const folder = scratchFolder("faults-in-run");
  const [da0, , , da3] = aggregators(4) as [Aggregator, Aggregator, Aggregator, Aggregator];
  let site: Site;

  const fabric = (line: string): Promise<string> => new Program("fabric", `--state network ${line}`, folder).end();
  const veilgrid = (line: string): Promise<string> => new Program("veilgrid", line, folder).end();
  /** The run goes on until so many more region-periods are on the ledger. */
  const periods = (count: number): Program =>
    new Program("veilgrid", `periods run --count ${count} --out on-fabric`, folder);
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  const chaincode = (da: Aggregator): string => partProcess(site, da, "chaincode") as string;
  async function elections(): Promise<number> {
    return (JSON.parse(await veilgrid("audit --out on-fabric --json")) as { elections: number }).elections;
  }

  before(async () => {
    await veilgrid(`network params ${RUN} --out on-fabric`);
    await fabric(`up --base-port ${BASE_PORT}`);
    await fabric("deploy --params on-fabric/params.bin");
    site = Site.open(join(folder, "network"));
    await veilgrid(`periods run --count 2 ${FABRIC} --out on-fabric`);
  });

  after(() => fabric("reset"));

  it("goes on with three when one's peer, orderer and chaincode are killed, which catches up when it is started", async () => {
    const more = periods(4);
    await more.says(PROGRESS);
    const names = organisationProcesses(site, da3);
    expect(names).to.have.length(3);
    for (const name of names) await kill(site, name);
    await more.end();
    const without = await heights(site);
    expect([...without.keys()])
      .to.have.length(7)
      .and.not.include(peerName(da3));
    for (const name of names) await start(site, name);
    expect(await sameHeight(site)).to.be.at.least(Math.max(...without.values()));
  });

  it("has its next block in time when the leading orderer is killed", async () => {
    const leader = await leadingOrderer(site);
    const others = site.aggregators.filter((da) => ordererName(da) !== leader);
    const more = periods(4);
    let isOver = false;
    await more.says(PROGRESS);
    await kill(site, leader);
    const pause = longestPause(site, others, { since: performance.now(), blocks: 2, isOver: () => isOver });
    await more.end();
    isOver = true;
    const seconds = await pause;
    process.stdout.write(`      no block for ${seconds.toFixed(1)} s\n`);
    const told = others.map((da) => lastLines(site.folder, ordererName(da), 60)).join("\n");
    expect(seconds, told).to.be.below(LEADER_LOST);
    expect(await leadingOrderer(site)).not.to.equal(leader);
    await start(site, leader);
  });

  it("has another leader, in a new term, when the one among the aggregators is killed", async () => {
    const before = await elections();
    await periods(2).end();
    expect(await elections()).to.be.above(before);
    await sameHeight(site);
  });

  it("goes on while a peer is frozen, and says so", async () => {
    await freeze(site, peerName(da0));
    const more = periods(2);
    await more.end();
    expect(more.stderr).to.include("DA0MSP's gateway does not answer");
    await thaw(site, peerName(da0));
  });

  it("goes on while a chaincode is frozen, and says so", async () => {
    await freeze(site, chaincode(da0));
    const more = periods(2);
    await more.end();
    expect(more.stderr).to.match(/came without DA0MSP|DA0MSP's gateway does not answer/);
    await thaw(site, chaincode(da0));
  });

  it("goes on when the leading orderer is frozen, and says how long it waited", async () => {
    await sameHeight(site);
    const leader = await leadingOrderer(site);
    const more = periods(4);
    await more.says(PROGRESS);
    await freeze(site, leader);
    await more.end();
    expect(more.stderr).to.match(/took \d+\.\d s to be committed|gateway does not answer \((?:submit|commit)\)/);
    await thaw(site, leader);
    await sameHeight(site);
  });

  it("goes on by the same command each time it is killed itself", async () => {
    const demo = `demo ${FABRIC} --out on-fabric`;
    for (const said of [/Schnorr engine/, PROGRESS, /bills are on the ledger/]) {
      const program = new Program("veilgrid", demo, folder);
      await program.says(said);
      await program.kill();
    }
    expect(await veilgrid(demo)).to.include("50 of 50 bills verified from the ledger");
  });

  it("comes to the embedded run's bills and prices, to the byte", async () => {
    await veilgrid(`demo ${RUN} --no-audit --out embedded`);
    for (const name of ["bills.csv", "periods.csv"])
      expect(text(`on-fabric/${name}`), name).to.equal(text(`embedded/${name}`));
    expect(text("on-fabric/bills.csv").trim().split("\n")).to.have.length(1 + 50);
  });

  it("leaves a ledger in which nothing is wrong, and peers that all have the same", async () => {
    const height = await sameHeight(site);
    expect(await veilgrid(`audit ${FABRIC}`)).to.match(/ 1200 readings re-verified: nothing is wrong\n/);
    const standings = JSON.parse(await veilgrid(`ledger peers --profile ${PROFILE} --json`)) as Standings;
    expect(standings.agree).to.equal(true);
    expect(standings.peers.map(({ msp }) => msp).sort()).to.deep.equal([
      "DA0MSP",
      "DA1MSP",
      "DA2MSP",
      "DA3MSP",
      "KGCBPMSP",
    ]);
    const [first] = standings.peers;
    for (const { msp, height: own, common } of standings.peers) {
      expect(own, msp).to.equal(String(height));
      expect(common, msp).to.have.keys("hash", "commitHash").and.deep.equal(first?.common);
    }
  });
});
