import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import type { MeterLogJson } from "../../src/input/meter-log.js";
import { inFolder, json, typed, veilgrid } from "./command.js";
import { writeInputs } from "./prepared.js";

const ASKED = "--readings staged.csv --price csv:stages.csv --regions 2 --min-meters 5 --periods 3 --seed 11";

interface Epoch {
  readonly region: number;
  readonly block: string;
  readonly first: string;
  readonly periods: number;
  readonly meters: number;
}

interface Period {
  readonly region: number;
  readonly periodStart: string;
  readonly readings: number;
  readonly masks: string;
}

/** The window is over, and the period's block is not there: a meter has receipts that nothing decides yet. */
async function undecided(): Promise<void> {
  const log = await json<MeterLogJson>("kgcbp meter log H03 --out staged");
  expect([log.meter, log.periods.length]).to.deep.equal(["H03", 1]);
  const [logged] = log.periods;
  expect(logged).to.deep.include({ month: "2013-04", k: 372, consumptionWh: "300", refusals: [] });
  const receipts = logged?.proofs;
  expect(receipts?.every((proof) => proof !== null)).to.equal(true);
  writeFileSync(inFolder("waiting.json"), JSON.stringify({ format: "veilgrid/receipts", version: 1, receipts }));
  const { code, stdout } = await veilgrid(["receipt", "check", "waiting.json", "--out", "staged", "--json"]);
  const judged = JSON.parse(stdout) as { receipts: { verdict: string; because: string; names: string[] }[] };
  const said = { verdict: "undecided", because: "the ledger has no block of the period yet", names: [] };
  for (const receipt of judged.receipts) expect(receipt).to.deep.include(said);
  expect([code, judged.receipts.length]).to.deep.equal([75, 2]);
}

describe("the stages of a run", function () {
  this.timeout(120_000);

  before(() => {
    writeInputs();
    renameSync(inFolder("homes.csv"), inFolder("staged.csv"));
    const prices = ["18:00Z,250000", "18:30Z,300000", "19:00Z,-40000"].map((line) => `2013-04-08T${line}\n`);
    writeFileSync(inFolder("stages.csv"), `period_start,price_micro_per_kwh\n${prices.join("")}`);
  });

  it("one after the other end where the demo ends", async () => {
    const demo = typed(`demo ${ASKED} --no-audit --out whole`);
    const setUp = await json<{ quorum: number; regions: unknown; firstPeriod: string; ledger: { blocks: string } }>(
      `setup ${ASKED} --out staged`,
    );
    expect(setUp).to.include({ quorum: 3, firstPeriod: "2013-04-08T18:00Z" });
    expect(setUp.regions).to.deep.equal([
      { region: 1, meters: 6 },
      { region: 2, meters: 6 },
    ]);
    expect(setUp.ledger.blocks).to.equal("1");
    await demo;
    // From here on the folder is all that the run needs.
    for (const input of ["staged.csv", "stages.csv"]) rmSync(inFolder(input));

    const { epochs } = await json<{ epochs: Epoch[] }>("epochs --out staged");
    const first = "2013-04-08T18:00Z";
    expect(epochs).to.deep.equal([
      { region: 1, block: "1", first, periods: 3, meters: 6 },
      { region: 2, block: "1", first, periods: 3, meters: 6 },
    ]);

    const { periods: sent } = await json<{ periods: unknown[] }>("readings send --out staged");
    expect(sent).to.deep.equal([{ periodStart: first, halves: 24, receipted: 24 }]);

    await undecided();

    const { periods: run } = await json<{ periods: Period[] }>("periods run --count 3 --out staged");
    expect(run.length).to.be.at.least(3);
    for (const one of run) expect(one).to.include({ readings: 12, masks: "released" });
    expect(run[0]).to.include({ region: 1, periodStart: first });

    const { committed, priced } = await json<{ committed: number; priced: { basis: string }[] }>("price --out staged");
    expect(committed).to.be.at.least(3);
    for (const { basis } of priced) expect(basis).to.equal("measured");

    const { bills } = await json<{ bills: { verified: boolean }[] }>("bill issue --out staged");
    expect(bills.map(({ verified }) => verified)).to.deep.equal(Array.from({ length: 12 }, () => true));
    expect(await typed("receipt check waiting.json --out staged")).to.include(
      "2 receipts checked; nobody is convicted",
    );
    for (const table of ["bills.csv", "periods.csv"]) {
      const [whole, staged] = ["whole", "staged"].map((out) => readFileSync(inFolder(`${out}/${table}`), "utf8"));
      expect(staged, table).to.equal(whole);
    }
  });

  it("say so where nothing is left to do", async () => {
    expect(await typed("epochs --out staged")).to.include("every period of the run has its epoch already\n");
    expect(await typed("readings send --out staged")).to.include(
      "the windows of all the run's periods are over already",
    );
    expect(await typed("periods run --out staged")).to.include("every period of the run is on the ledger already");
    expect(await typed("price --out staged")).to.include("6 committed periods, each with its price; 0 of them new");
  });
});
