import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../src/documents/repository.js";
import { rowsOf, type Row } from "../src/world/tables.js";
import { scratchFolder } from "../src/world/scratch.js";
import { Program } from "./program.js";

const BASE_PORT = 18_750;

/** Three hours of 50 real homes, with prices that follow the regions' demand. */
const HOMES = join(REPOSITORY, "data", "sgsc", "sgsc50_2013-04-08_30d_wide.csv");
const RUN = `--readings ${HOMES} --regions 2 --periods 6 --price linear:200000,10000`;
const SEEDED = `${RUN} --seed 7`;
const PROFILE = "network/profile.json";
const FABRIC = `--ledger fabric --profile ${PROFILE}`;

interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

interface Standings {
  readonly agree: boolean;
  readonly height: string;
  readonly peers: readonly { readonly msp: string; readonly height: string; readonly hash: string }[];
}

describe("a run on real Fabric", function () {
  this.timeout(600_000);
  const folder = scratchFolder("on-fabric");
  const command = `--state network demo --base-port ${BASE_PORT} ${SEEDED} --out on-fabric`;

  const veilgrid = (line: string, exit = 0): Promise<string> => new Program("veilgrid", line, folder).end(exit);
  const bills = (): Row[] => rowsOf(join(folder, "on-fabric/bills.csv"));
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  /** What a customer has who needs no folder. */
  function customer(): string {
    const { meter, bid } = bills()[0] as { meter: string; bid: string };
    return `--bid ${bid} --identity on-fabric/customers/${meter}.age-identity --ipfs on-fabric/ipfs`;
  }
  async function refusal(line: string): Promise<Failure["error"]> {
    const program = new Program("veilgrid", `${line} --json`, folder);
    await program.end(2);
    return (JSON.parse(program.stderr.trim().split("\n").at(-1) as string) as Failure).error;
  }

  after(() => new Program("fabric", "--state network reset", folder).end());

  it("is killed in the middle of its periods by kill -9", async () => {
    const program = new Program("fabric", command, folder);
    await program.says(/periods on the ledger 5\/12/);
    await program.kill();
    expect(existsSync(join(folder, "on-fabric/outcome.json"))).to.equal(false);
  });

  it("goes on by the same command: bills verified, nothing wrong on the ledger", async () => {
    const program = new Program("fabric", command, folder);
    const printed = await program.end();
    expect(program.stderr).to.match(/taken up at 2013-04-08T\d\d:\d\dZ: \d+ of 12 periods/);
    expect(program.stderr).to.match(
      /audit: \d+ ledger blocks, \d+ transactions and 600 readings re-verified: nothing is/,
    );
    expect(printed).to.match(/50 of 50 bills verified from the ledger/);
    expect(printed).to.match(/On real Fabric, all in all: \d+\.\d s\.\n$/);
  });

  it("has the embedded run's bills and prices, to the byte", async () => {
    await veilgrid(`demo ${SEEDED} --no-audit --out embedded`);
    expect(text("on-fabric/bills.csv")).to.equal(text("embedded/bills.csv"));
    expect(text("on-fabric/periods.csv")).to.equal(text("embedded/periods.csv"));
    expect(bills()).to.have.length(50);
  });

  it("leaves all peers with the same blocks and the same state", async () => {
    const { agree, height, peers } = JSON.parse(
      await veilgrid(`ledger peers --profile ${PROFILE} --json`),
    ) as Standings;
    expect(agree).to.equal(true);
    expect(peers.map(({ msp }) => msp).sort()).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP", "KGCBPMSP"]);
    for (const { msp, height: own } of peers) expect(own, msp).to.equal(height);
  });

  it("has bills that are verified from the peers, with the folder and without it", async () => {
    const all = JSON.parse(await veilgrid(`bill verify --all ${FABRIC} --out on-fabric --json`)) as {
      verified: boolean;
    };
    expect(all.verified).to.equal(true);
    expect(await veilgrid(`bill verify ${FABRIC} --month 2013-04 ${customer()}`)).to.match(/^verified: \d/);
    expect(await veilgrid(`bill list --out on-fabric`)).to.match(/\n50 bills\n$/);
    expect(await veilgrid(`block show 0 head ${FABRIC}`)).to.match(/^block +\d+ of chain 0: bills\n/);
  });

  it("can be exported, and audited and verified offline", async () => {
    const [ofFolder, ofPeers] = [
      await veilgrid("ledger export folder.vgl.gz --out on-fabric"),
      await veilgrid(`ledger export peers.vgl.gz ${FABRIC}`),
    ];
    expect(ofPeers.split(": ")[1]).to.equal(ofFolder.split(": ")[1]);
    expect(await veilgrid("audit peers.vgl.gz")).to.match(/^audit: .* 600 readings re-verified: nothing is wrong\n/);
    expect(await veilgrid(`audit ${FABRIC}`)).to.match(/: nothing is wrong\n/);
    expect(await veilgrid(`bill verify --ledger peers.vgl.gz --month 2013-04 ${customer()}`)).to.match(/^verified: /);
  });

  it("is the only one that its network takes", async () => {
    const other = await refusal(`demo ${RUN} --seed 8 ${FABRIC} --out other`);
    expect(other.code).to.equal("other-consortium");
    expect(other.message).to.include("other/params.bin").and.to.include("fabric -- reset");
    const twice = await refusal(`demo ${SEEDED} ${FABRIC} --out twice`);
    expect(twice.code).to.equal("unknown-blocks");
    const bound = new Program("fabric", `--state network demo ${RUN} --seed 8 --out other`, folder);
    await bound.end(2);
    expect(bound.stderr).to.match(/error params-bound: .*`npm run fabric -- reset` removes it/);
  });

  it("does not take an embedded folder's place, nor the other way round", async () => {
    expect((await refusal(`demo ${SEEDED} --ledger embedded --out on-fabric`)).code).to.equal("other-arguments");
    expect((await refusal(`epochs ${FABRIC} --out embedded`)).code).to.equal("other-arguments");
    expect((await refusal(`epochs --profile ${PROFILE} --out embedded`)).code).to.equal("bad-option");
  });

  it("waits with exit code 75 while no peer is there, and goes on when they are back", async () => {
    await new Program("fabric", "--state network down", folder).end();
    const waits = new Program("veilgrid", "bill verify --all --out on-fabric", folder);
    await waits.end(75);
    expect(waits.stderr).to.match(/^waiting ledger-unavailable: /m);
    await new Program("fabric", "--state network up", folder).end();
    expect(await veilgrid("bill verify --all --out on-fabric")).to.include("50 of 50 bills verified from the ledger\n");
  });
});
