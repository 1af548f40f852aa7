import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { dataFile, SGSC } from "../input/files.js";
import { inFolder, json, typed, veilgrid } from "./command.js";
import { writeInputs } from "./prepared.js";

describe("veilgrid readings check", function () {
  this.timeout(60_000);

  it("says what a file holds", async () => {
    const text = await typed(`readings check ${SGSC}`);
    expect(text).to.include("\nperiods      1440 of 1800 s, the first from 2013-04-08T00:00:00.000Z");
    expect(text).to.include("\nreadings     72000, 14895.865 kWh in all\n");
    expect(text).to.match(/\nnothing is wrong\n$/);
  });

  it("is written to its end, however much it is, before the command ends", async () => {
    const names = Array.from({ length: 2000 }, (_, i) => `household-${i}`);
    const rows = ["00:00", "00:30"].map((time) => `2013-04-08 ${time},${names.map(() => "0.1").join(",")}`);
    writeFileSync(inFolder("many.csv"), [`reading_datetime,${names.join(",")}`, ...rows].join("\n"));
    const { code, stdout } = await veilgrid(["readings", "check", "many.csv", "--json"]);
    expect(code).to.equal(0);
    expect(stdout.length).to.be.above(2 * 65_536);
    expect((JSON.parse(stdout) as { households: unknown[] }).households).to.have.length(2000);
  });

  it("names every bad row, with exit code 1", async () => {
    writeInputs();
    const lines = readFileSync(inFolder("homes.csv"), "utf8").split("\n");
    lines[2] = (lines[2] as string).replace("0.301", "many");
    lines[3] = "2013-04-08 25:00,1";
    writeFileSync(inFolder("bad.csv"), lines.join("\n"));
    const { code, stdout } = await veilgrid(["readings", "check", "bad.csv", "--json"]);
    expect(code).to.equal(1);
    const { problemCount, problems, households } = JSON.parse(stdout) as {
      problemCount: number;
      problems: { code: string; facts: { line: number; column?: string } }[];
      households: unknown[];
    };
    expect(problemCount).to.equal(2);
    expect(problems.map(({ code: what, facts }) => [what, facts.line])).to.deep.equal([
      ["bad-number", 3],
      ["row-length", 4],
    ]);
    expect(households).to.have.length(12);
  });
});

describe("veilgrid price import", function () {
  this.timeout(60_000);
  const aemo = dataFile("aemo/aemo_vic1_2024-06_halfhourly.csv");

  it("writes a price file, and says what was rounded", async () => {
    const [printed, result] = await Promise.all([
      veilgrid(["price", "import", "--from", "aemo", aemo]),
      json<Record<string, unknown>>(`price import --from aemo ${aemo} --out aemo.csv`),
    ]);
    expect(printed.code).to.equal(0);
    expect(printed.stdout).to.match(/^period_start,price_micro_per_kwh\n2024-05-31T14:00Z,-?\d+\n/);
    expect(printed.stderr).to.match(/^1440 prices in micro-AUD per kWh, .*; 943 rounded, /);
    expect(readFileSync(inFolder("aemo.csv"), "utf8")).to.equal(printed.stdout);
    expect(result).to.include({ file: "aemo.csv", prices: 1440, currency: "micro-AUD", rounded: 943, nonexistent: 0 });
  });

  it("says what it passed over where the clock changed", async () => {
    const lcl = dataFile("lcl/lcl_dtou_tariff_2013.csv");
    const text = await typed(`price import --from lcl ${lcl} --out lcl.csv`);
    expect(text).to.include("lcl.csv: 17520 prices in micro-GBP per kWh, 2013-01-01T00:00Z to 2013-12-31T23:30Z; ");
    expect(text).to.include("2 passed over (a time that no clock showed), 2 for an hour had twice");
  });
});

describe("veilgrid engine", function () {
  this.timeout(60_000);

  it("says which engines are there, and which one runs", async () => {
    interface Engines {
      readonly inUse: string;
      readonly engines: readonly {
        readonly name: string;
        readonly inUse: boolean;
        readonly verificationsPerSecond: number;
      }[];
    }
    const [noble, wasm] = await Promise.all([
      json<Engines>("engine --engine noble"),
      veilgrid(["engine"], { VEILGRID_ENGINE: "wasm" }),
    ]);
    expect(noble.inUse).to.equal("noble");
    expect(noble.engines.filter(({ inUse }) => inUse).map(({ name }) => name)).to.deep.equal(["noble"]);
    expect(noble.engines.map(({ name }) => name)).to.include.members(["wasm", "noble"]);
    for (const { verificationsPerSecond } of noble.engines) expect(verificationsPerSecond).to.be.above(0);
    expect(wasm.stdout).to.match(/│ wasm +│ yes +│/);
  });
});
