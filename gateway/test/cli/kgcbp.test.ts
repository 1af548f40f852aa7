import { writeFileSync } from "node:fs";
import { expect } from "chai";
import type { CaseJson } from "../../src/cli/case-text.js";
import { failing, inFolder, json, rows, typed } from "./command.js";

/** Six homes over two days in UTC: the second is silent in the second half-hour, and the third's register jumps in the third. */
function writeHomes(): void {
  const homes = ["A", "B", "C", "D", "E", "F"];
  const lines = Array.from({ length: 96 }, (_, n) => {
    const time = new Date(Date.UTC(2026, 2, 2) + n * 1_800_000).toISOString().slice(0, 16);
    const cells = homes.map((name, i) => {
      if (name === "B" && n === 1) return "";
      return name === "C" && n === 2 ? "300.000" : `0.${100 + 10 * i + (n % 10)}`;
    });
    return [time, ...cells].join(",");
  });
  writeFileSync(inFolder("faulty.csv"), `${["reading_datetime", ...homes].join(",")}\n${lines.join("\n")}\n`);
  const tariff = { minorDigits: 2, faultPenalty: "5000000000" };
  writeFileSync(inFolder("penalty.json"), JSON.stringify(tariff));
}

interface Change {
  readonly from: string;
  readonly k: number;
  readonly dryRun: boolean;
}

describe("veilgrid kgcbp", function () {
  this.timeout(600_000);

  before(async () => {
    writeHomes();
    await typed("setup --readings faulty.csv --tariff penalty.json --min-meters 5 --seed 3 --out faulty");
    await typed("periods run --count 4 --out faulty");
  });

  it("cases lists what is faulty, with what to do next", async () => {
    const { cases } = await json<{ cases: CaseJson[] }>("kgcbp cases --out faulty");
    const named = cases.map(({ periodStart, status, meters }) => [periodStart, status, ...meters.map((m) => m.meter)]);
    expect(named).to.deep.equal([
      ["2026-03-02T00:30Z", "closed", "B"],
      ["2026-03-02T01:00Z", "finding", "C"],
    ]);
    const [closed] = cases;
    expect(closed?.ref).to.match(/^[0-9a-f]{64}$/);
    expect(closed?.next).to.equal("compare the meters' logs: veilgrid kgcbp case 1 2026-03-02T00:30Z");
    const shown = rows(await typed("kgcbp cases --out faulty"));
    expect(shown[1]).to.equal(
      "closed | 1 | 2026-03-02T00:30Z | B (silent) | compare the meters' logs: veilgrid kgcbp case 1 2026-03-02T00:30Z",
    );
  });

  it("case says who is at fault, from the run's own meters or a log file", async () => {
    const shown = rows(await typed("kgcbp case 1 2026-03-02T00:30Z --out faulty"));
    expect(shown[1]).to.equal("B | no half on the ledger | meter: the register was not read");
    const broken = await json<CaseJson>("kgcbp case 1 2026-03/50 --out faulty");
    expect(broken.meters.map(({ meter, finding }) => [meter, finding?.reason])).to.deep.equal([["C", "register"]]);
    const log = {
      format: "veilgrid/meter-log",
      version: 1,
      meter: "C",
      periods: [{ month: "2026-03", k: 50, consumptionWh: "120", proofs: [null, null], refusals: [] }],
    };
    writeFileSync(inFolder("c.json"), JSON.stringify(log));
    const other = await json<CaseJson>("kgcbp case 1 2026-03/50 --log c.json --out faulty");
    expect(other.meters[0]?.finding).to.include({ reason: "other-key", blame: "nobody" });
    expect(other.next).to.equal("re-key the meter: it has another key than KGCBP");
    writeFileSync(inFolder("bad.json"), "{}");
    expect((await failing("kgcbp case 1 2026-03/50 --log bad.json --out faulty")).error.code).to.equal("bad-meter-log");
    expect((await failing("kgcbp case 1 2026-03-02T00:00Z --out faulty")).error.code).to.equal("no-case");
    for (const wrong of ["yesterday", "2026-13/1", "2026-03/1488"]) {
      expect((await failing(`kgcbp case 1 ${wrong} --out faulty`)).error.code, wrong).to.equal("bad-option");
    }
  });

  it("eliminate and reinstate hold from the next epoch not sent, and every bill verifies", async () => {
    const preview = await json<Change>("kgcbp eliminate B --dry-run --out faulty");
    expect(preview).to.include({ from: "2026-03-03T00:00Z", k: 96, dryRun: true });
    expect((await failing("kgcbp reinstate B --out faulty")).error.code).to.equal("not-eliminated");
    const sent = await failing("kgcbp eliminate B --from 2026-03-02T12:00Z --out faulty");
    expect([sent.code, sent.error.code]).to.deep.equal([2, "period-sent"]);
    expect(await typed("kgcbp eliminate B --out faulty")).to.equal(
      "B is left out from 2026-03-03T00:00Z on (period 96 of 2026-03)\n",
    );
    expect((await failing("kgcbp eliminate B --out faulty")).error.code).to.equal("already-eliminated");
    expect((await failing("kgcbp eliminate Z --out faulty")).error.code).to.equal("unknown-meter");
    expect(await json<Change>("kgcbp reinstate B --from 2026-03-03T06:00Z --out faulty")).to.include({ k: 108 });
    await typed("bill issue --out faulty");
    const text = await typed("bill show B --out faulty");
    expect(text).to.contain("eliminated      2026-03-03 00:00Z to 2026-03-03 06:00Z");
    expect(text).to.contain("83 measured, 13 missing, 0 estimated");
    expect(rows(text).find((row) => row.startsWith("faults"))).to.equal("faults of the meter: 1 | 5.000000000 | 5.00");
    expect(await typed("bill explain B --period 49 --out faulty")).to.contain(
      "by the ledger's verdict on the period with ref",
    );
    expect(await typed("bill explain B --period 100 --out faulty")).to.contain("missing: the meter was eliminated");
    expect(await typed("bill verify --all --out faulty")).to.contain("6 of 6 bills verified from the ledger");
  });
});
