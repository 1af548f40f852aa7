import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { Claim } from "../../src/world/claim.js";
import { DataFolder } from "../../src/world/folder.js";
import { failing, inFolder, json, rows, typed, veilgrid } from "./command.js";
import { PREPARED, prepared, writeInputs } from "./prepared.js";

const SMALL = "--meters 12 --regions 1 --periods 2 --seed 3 --no-audit";

interface Outcome {
  readonly bills: readonly { readonly meter: string; readonly total: string; readonly verified: boolean }[];
  readonly regions: readonly Readonly<Record<string, unknown>>[];
}

describe("veilgrid demo", function () {
  this.timeout(120_000);
  let printed: string;

  before(async () => {
    printed = await prepared();
    writeInputs();
  });

  it("ends with what a newcomer understands", () => {
    const [regions, region, bills, first, second] = rows(printed);
    expect(regions).to.equal("region | meters | periods | sums released | consumption | lowest | highest");
    expect(region).to.equal("1 | 12 | 4 | 4 | 30.650 kWh | -0.040000 | 0.300000");
    expect(bills).to.equal("meter | month | energy | total | missing periods | verified");
    expect(first).to.equal("H01 | 2013-04 | 0.700 kWh | 0.79 | 1 | yes");
    expect(second).to.equal("H02 | 2013-04 | -0.110 kWh | 0.48 | 0 | yes");
    expect(printed).to.match(/12 of 12 bills verified from the ledger \(\d+ blocks, hash [0-9a-f]{16}\)\./);
    expect(printed).to.include("Files: run/periods.csv, run/bills.csv\n");
    expect(printed).to.include("Next:  veilgrid bill show H01 --month 2013-04 --out run\n");
  });

  it("prints the result of a finished run again, from the folder alone as well", async () => {
    const [again, issued, result] = [
      await typed(`demo ${PREPARED}`),
      await typed("bill issue --out run"),
      await json<Outcome>("bill issue --out run"),
    ];
    expect(again).to.equal(printed);
    expect(issued).to.equal(printed);
    expect(result.bills[0]).to.include({
      meter: "H01",
      month: "2013-04",
      energyWh: "700",
      total: "79",
      verified: true,
    });
    expect(result.regions).to.deep.equal([
      {
        region: 1,
        meters: 12,
        periods: 4,
        measured: 4,
        consumptionWh: "30650",
        lowestPrice: "-40000",
        highestPrice: "300000",
      },
    ]);
  });

  it("keeps secrets to their owner", () => {
    for (const name of ["secrets.json", "customers/H01.age-identity"]) {
      expect(statSync(inFolder(`run/${name}`)).mode & 0o077, name).to.equal(0);
    }
  });

  it("refuses other arguments by naming each difference, but no seed", async () => {
    const others = PREPARED.replace("Zurich", "Rome")
      .replace("csv:prices.csv", "flat:1")
      .replace("seed 7", "seed 4711");
    const { code, error } = await failing(`demo ${others} --das 5 --periods 3`);
    expect(code).to.equal(2);
    expect(error.code).to.equal("other-arguments");
    for (const part of [
      "--das is 4 there and 5 here",
      '--price is "csv" there and "flat:1" here',
      '--timezone is "Europe/Zurich" there and "Europe/Rome" here',
      "--seed is another there",
      "the number of periods is 4 there and 3 here",
      "--force starts anew",
    ]) {
      expect(error.message).to.include(part);
    }
    expect(error.message).not.to.include("4711");
  });

  it("is repeatable with a seed, and starts anew only by force", async () => {
    await typed(`demo ${SMALL} --out small`);
    const bills = readFileSync(inFolder("small/bills.csv"), "utf8");
    writeFileSync(inFolder("small/notes.txt"), "mine");
    const { error } = await failing(`demo ${SMALL.replace("seed 3", "seed 4")} --out small`);
    expect(error.code).to.equal("other-arguments");
    await typed(`demo ${SMALL.replace("seed 3", "seed 4")} --force --out small`);
    expect(readFileSync(inFolder("small/bills.csv"), "utf8")).not.to.equal(bills);
    await typed(`demo ${SMALL} --force --no-memory --out small`);
    expect(readFileSync(inFolder("small/bills.csv"), "utf8")).to.equal(bills);
    expect(readFileSync(inFolder("small/notes.txt"), "utf8")).to.equal("mine");
  });

  it("waits for a quorum with its own exit code, and goes on when called again", async () => {
    const down = `demo ${SMALL} --fault down:0@1 --fault down:1@1 --out waiting`;
    const waits = await veilgrid(down.split(" "));
    expect(waits.code).to.equal(75);
    expect(waits.stdout).to.equal("");
    expect(waits.stderr).to.match(/waiting quorum-lost: 2 aggregators run and 3 are needed \(virtual time .*Z\)/);
    const { bills } = await json<Outcome>(down);
    expect(bills.every(({ verified }) => verified)).to.equal(true);
    const totals = readFileSync(inFolder("small/bills.csv"), "utf8");
    expect(readFileSync(inFolder("waiting/bills.csv"), "utf8")).to.equal(totals);
  });
});

describe("a data folder", function () {
  this.timeout(60_000);
  before(() => prepared());

  it("that another process works in is refused by every command", async () => {
    const claim = await Claim.of(new DataFolder(inFolder("run")));
    try {
      const commands = [
        "bill list --out run",
        "audit run",
        "epochs --out run",
        `demo ${PREPARED}`,
        `demo ${PREPARED} --force`,
      ];
      for (const failure of await Promise.all(commands.map((line) => failing(line)))) {
        expect(failure).to.deep.include({ code: 2 });
        expect(failure.error).to.include({ code: "folder-in-use", retry: true });
      }
    } finally {
      await claim.release();
    }
    expect(rows(await typed("bill list --out run"))).to.have.length(13);
  });

  it("of somebody else stays as it is, force or not", async () => {
    mkdirSync(inFolder("foreign"));
    writeFileSync(inFolder("foreign/bills.csv"), "my own");
    writeFileSync(inFolder("foreign/letter.txt"), "dear");
    const failures = await Promise.all([
      failing(`demo ${SMALL} --out foreign`),
      failing(`setup ${SMALL.replace(" --no-audit", "")} --force --out foreign`),
      failing("epochs --out foreign"),
    ]);
    expect(failures.map(({ error }) => error.code)).to.deep.equal(["foreign-folder", "foreign-folder", "no-run"]);
    expect(readdirSync(inFolder("foreign"))).to.deep.equal(["bills.csv", "letter.txt"]);
    expect(readFileSync(inFolder("foreign/bills.csv"), "utf8")).to.equal("my own");
  });

  it("that no run was ever in is not made by asking", async () => {
    const { code, error } = await failing("bill list --out nowhere");
    expect({ code, error: error.code }).to.deep.equal({ code: 2, error: "no-run" });
    expect(readdirSync(inFolder("."))).not.to.include("nowhere");
  });

  it("that was about to be made is made anew, with keys of the seed that is asked for", async () => {
    mkdirSync(inFolder("begun"));
    writeFileSync(inFolder("begun/secrets.json"), JSON.stringify({ master: "0".repeat(64) }));
    writeFileSync(inFolder("begun/readings.csv.partial"), "2013");
    const asked = SMALL.replace(" --no-audit", "");
    const [begun, whole] = await Promise.all(
      ["begun", "made"].map((out) => json<{ consortium: string }>(`setup ${asked} --out ${out}`)),
    );
    expect(begun?.consortium).to.equal(whole?.consortium);
  });

  it("that lost a part is said to be damaged", async () => {
    rmSync(inFolder("made/readings.csv"));
    writeFileSync(inFolder("begun/run.json"), "{");
    expect((await failing("epochs --out made")).error.code).to.equal("damaged-folder");
    expect((await failing("bill list --out begun")).error.code).to.equal("damaged-folder");
    rmSync(inFolder("begun/run.json"));
    const again = await failing(`setup ${SMALL.replace(" --no-audit", "")} --out begun`);
    expect(again.error.code).to.equal("damaged-folder");
  });

  it("whose set-up was cut short has no ledger yet", async () => {
    mkdirSync(inFolder("short"));
    for (const name of ["run.json", "secrets.json"]) {
      writeFileSync(inFolder(`short/${name}`), readFileSync(inFolder(`run/${name}`)));
    }
    expect((await failing("audit short")).error.code).to.equal("no-ledger");
    expect((await failing("bill show H01 --out short")).error.code).to.equal("no-ledger");
  });
});
