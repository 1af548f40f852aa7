import { expect } from "chai";
import { inFolder, json, rows, typed, veilgrid } from "./command.js";
import { changedLedger } from "./changed-ledger.js";
import { prepared } from "./prepared.js";

interface Block {
  readonly kind: string;
  readonly number: string;
  readonly previous: string;
  readonly hash: string;
  readonly period: string | null;
  readonly aggFault: boolean;
  readonly voters: readonly number[];
  readonly count: number;
  readonly leaves: readonly Readonly<Record<string, unknown>>[];
}

describe("veilgrid block show", function () {
  this.timeout(60_000);
  before(() => prepared());

  it("decodes a readings block, whose votes it verified", async () => {
    const [genesis, epoch, readings] = (await Promise.all(
      [0, 1, 2].map((number) => json<Block>(`block show 1 ${number} --ledger run.vgl`)),
    )) as [Block, Block, Block];
    expect(genesis).to.include({ kind: "genesis", number: "0", count: 0 });
    expect(epoch).to.include({ kind: "epoch", previous: genesis.hash, period: "2013-04-08T16:00Z" });
    expect(epoch.leaves[0]).to.include({ region: 1, periods: 4, meters: 12, leaves: 12 });
    expect(readings).to.include({ kind: "readings", previous: epoch.hash, period: "2013-04-08T16:00Z", count: 24 });
    expect(readings.aggFault).to.equal(false);
    expect(readings.voters.length).to.equal(3);
    expect(Object.keys(readings.leaves[0] ?? {})).to.deep.equal(["prid", "rc"]);
  });

  it("tells a missing reading by the block's bit", async () => {
    const block = await json<Block>("block show 1 4 --ledger run.vgl");
    expect(block).to.include({ period: "2013-04-08T17:00Z", count: 22, aggFault: true });
    expect(await typed("block show 1 4 --out run")).to.include(
      "\nperiod       2013-04-08T17:00Z, with an aggregation fault\n",
    );
  });

  it("shows what the consortium's chain carries", async () => {
    const [masks, prices, bills] = (await Promise.all(
      ["1", "2", "head"].map((number) => json<Block>(`block show 0 ${number} --ledger run.vgl`)),
    )) as [Block, Block, Block];
    expect([masks, prices, bills].map(({ kind }) => kind)).to.deep.equal(["masks", "prices", "bills"]);
    expect(masks.leaves[0]).to.include({ region: 1, period: "2013-04-08T16:00Z", status: "released" });
    expect(prices.leaves[0]).to.include({
      region: 1,
      period: "2013-04-08T16:00Z",
      priceMicroPerKwh: "250000",
      basis: "measured",
      consumptionWh: "7450",
    });
    expect(bills.leaves[0]?.entries).to.have.length(12);
  });
});

describe("veilgrid ledger export and audit", function () {
  this.timeout(60_000);
  before(() => prepared());

  it("export the same bytes each time, gzipped or not, and find nothing wrong with them", async () => {
    const [plain, gzipped] = [
      await json<Record<string, unknown>>("ledger export again.vgl --out run"),
      await json<Record<string, unknown>>("ledger export again.vgl.gz --out run"),
    ];
    expect(plain.hash).to.equal(gzipped.hash);
    expect(Number(gzipped.bytes)).to.be.below(Number(plain.bytes));
    const reports = await Promise.all([
      json<Record<string, unknown>>("audit --out run"),
      json<Record<string, unknown>>("audit again.vgl"),
      json<Record<string, unknown>>("audit again.vgl.gz"),
    ]);
    for (const report of reports) expect(report).to.deep.equal(reports[0]);
    expect(reports[0]).to.deep.include({ blocks: Number(plain.blocks), readings: 94, findings: [], elections: 1 });
    expect(rows(await typed("audit run"))).to.include("readings | 4");
  });

  it("find what was changed, with exit code 1", async () => {
    await changedLedger(inFolder("run.vgl"), inFolder("changed.vgl"));
    const [text, report] = await Promise.all([
      veilgrid(["audit", "changed.vgl"]),
      veilgrid(["audit", "changed.vgl", "--json"]),
    ]);
    expect(text.code).to.equal(1);
    expect(text.stdout).to.match(/re-verified: \d+ findings?\n/);
    expect(report.code).to.equal(1);
    const { findings } = JSON.parse(report.stdout) as { findings: { code: string; block: string }[] };
    expect(findings.map(({ code }) => code)).to.deep.equal(["wrong-digest", "wrong-writes"]);
  });
});
