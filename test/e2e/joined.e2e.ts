import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  networkStatus,
  peerName,
  requireEndorsement,
  Site,
  StateFolder,
  start,
  stop,
  type Aggregator,
} from "@veilgrid/network";
import { MeterCsv } from "../src/world/meter-csv.js";
import { scratchFolder } from "../src/world/scratch.js";
import { sameHeight } from "./blocks.js";
import { Program } from "./program.js";

const BASE_PORT = 29_000;
const PROFILE = "network/profile.json";

/** From ten in the morning on, so that the next day's epoch, which is sent at noon, comes after the fifth has joined. */
const HOMES = MeterCsv.sgsc(6, 31, "2013-04-08T10:00Z");
const RUN = "--readings homes.csv --regions 1 --min-meters 5 --price linear:200000,10000 --seed 11";

/** What the commands say on their way: killed after each, they have done another part of it. */
const ADDING = [
  /channel's configuration: da0, da1, da2, da3, da4\n/,
  /11 orderers and peers run/,
  /da4 has the ledger/,
  /da4.*: installing and approving/,
  /committing it as sequence 2/,
  /deployed: every gateway/,
];
const REMOVING = [
  /da3.*: installing and approving/,
  /committing it as sequence 3/,
  /channel's configuration: da0, da1, da2, da3\n/,
];

interface ParamsState {
  readonly aggregators: readonly { readonly state: string }[];
}

describe("a fifth aggregator on real Fabric, which joins in the middle of a run and leaves", function () {
  this.timeout(300_000);
  const folder = scratchFolder("joined");
  const root = join(folder, "network");
  const network = (line: string): Program => new Program("fabric", `--state network ${line}`, folder);
  const fabric = (line: string): Promise<string> => network(line).end();
  const veilgrid = (line: string): Promise<string> => new Program("veilgrid", line, folder).end();
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  const peers = (): string[] =>
    (JSON.parse(text(PROFILE)) as { gateways: { msp: string }[] }).gateways.map(({ msp }) => msp);

  async function refusal(program: Program): Promise<string> {
    await program.end(2);
    return program.stderr;
  }

  /** Kills a command after each of its steps, and has it do what is left; once more, it does nothing. */
  async function interrupted(line: string, steps: readonly RegExp[]): Promise<void> {
    for (const step of steps) {
      const program = network(line);
      await program.says(step);
      await program.kill();
      expect((await networkStatus(Site.open(root))).change).to.deep.include({ name: "da4" });
    }
    const done = await fabric(line);
    expect(done).to.match(/^on the channel: da0, da1, da2, da3/);
    const status = await networkStatus(Site.open(root));
    expect([status.state, status.change, status.notApproved]).to.deep.equal(["running", undefined, []]);
    expect((await fabric(line)).split(" in ")[0]).to.equal(done.split(" in ")[0]);
  }

  before(async () => {
    HOMES.write(join(folder, "homes.csv"));
    await veilgrid(`network params ${RUN} --out on-fabric`);
    await fabric(`up --base-port ${BASE_PORT}`);
    await fabric("deploy --params on-fabric/params.bin");
    await veilgrid(`periods run --count 2 --ledger fabric --profile ${PROFILE} --out on-fabric`);
  });

  after(() => fabric("reset"));

  it("is no member before the network has its organisation", async () => {
    const proposal = new Program("veilgrid", "params propose next.hex --add-da --out on-fabric", folder);
    expect(await refusal(proposal)).to.match(/no-organisation: .*npm run fabric -- add da4/);
    expect(existsSync(join(folder, "next.hex"))).to.equal(false);
    expect(await refusal(network("add da7"))).to.match(/no-such-organisation: .*the next aggregator is da4/);
  });

  it("joins the channel, its orderers and who endorses, however often the command is killed", async () => {
    await interrupted("add da4", ADDING);
    expect(await networkStatus(Site.open(root))).to.include({ size: 5, sequence: 2 });
    expect(peers()).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP", "DA4MSP", "KGCBPMSP"]);
    await sameHeight(Site.open(root));
  });

  it("is a member then, and the run goes on", async () => {
    await veilgrid("params propose next.hex --add-da --out on-fabric");
    expect(await veilgrid("params approve next.hex --out on-fabric")).to.match(/quorum +4 of 5/);
    await veilgrid("periods run --count 27 --out on-fabric");
    await sameHeight(Site.open(root));
  });

  it("makes four of five the least that endorse: one peer may be away, two may not", async () => {
    const site = Site.open(root);
    const [, da1, da2, , da4] = site.aggregators as [Aggregator, Aggregator, Aggregator, Aggregator, Aggregator];
    await stop(site, peerName(da1));
    await requireEndorsement(site, da4, true);
    await stop(site, peerName(da2));
    const said = await requireEndorsement(site, da4, true).then(
      () => "endorsed",
      (error: unknown) => String(error),
    );
    expect(said).not.to.equal("endorsed");
    for (const da of [da1, da2]) await start(site, peerName(da));
    expect(await fabric("up")).to.match(/^up in /);
  });

  it("stays as long as a version names it or an epoch needs it", async () => {
    expect(await refusal(network("remove da4"))).to.match(/still-a-member: .*--remove-da 4/);
    await veilgrid("params propose without.hex --remove-da 4 --set maxRegionMeters=1500 --out on-fabric");
    await veilgrid("params approve without.hex --out on-fabric");
    expect(await refusal(network("remove da4"))).to.match(/still-serving: .* 2 periods of region 1 are left/);
    await veilgrid("periods run --out on-fabric");
  });

  it("waits for endorsements as long as the regions of the version in force take", async () => {
    const program = network("up");
    await program.end();
    expect(program.stderr).to.include("regions of 1500 meters: gateways wait 8 s for an endorsement, not 5");
    expect(JSON.parse(text(PROFILE))).to.include({ endorsementSeconds: 8 });
  });

  it("leaves by a command that may be killed as often, and nothing of it runs", async () => {
    await interrupted("remove da4", REMOVING);
    expect(await networkStatus(Site.open(root))).to.include({ size: 4, sequence: 3 });
    expect(peers()).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP", "KGCBPMSP"]);
    const { processes } = new StateFolder(root);
    expect(existsSync(join(processes, "peer.da0.json"))).to.equal(true);
    for (const name of ["peer.da4", "orderer.da4", "chaincode.da4.v1"])
      expect(existsSync(join(processes, `${name}.json`)), name).to.equal(false);
    const { aggregators } = JSON.parse(await veilgrid("params show --json --out on-fabric")) as ParamsState;
    expect(aggregators.map(({ state }) => state)).to.deep.equal([...Array<string>(4).fill("member"), "retired"]);
  });

  it("has changed nothing of what the customers pay, and the ledger is in order", async () => {
    expect(await veilgrid("demo --out on-fabric")).to.include("6 of 6 bills verified from the ledger");
    await veilgrid(`demo ${RUN} --no-audit --out embedded`);
    for (const name of ["bills.csv", "periods.csv"])
      expect(text(`on-fabric/${name}`), name).to.equal(text(`embedded/${name}`));
    expect(await veilgrid("audit --out on-fabric")).to.include("nothing is wrong");
    expect(await veilgrid(`ledger peers --profile ${PROFILE}`)).to.match(/^5 peers/m);
    await sameHeight(Site.open(root));
  });
});
