import { writeFileSync } from "node:fs";
import type { BillReport } from "@veilgrid/protocol";
import { expect } from "chai";
import { CID } from "multiformats/cid";
import { ContentFolder } from "../../src/ipfs/content-folder.js";
import type { MeterLogJson } from "../../src/input/meter-log.js";
import { failing, inFolder, json, rows, typed } from "./command.js";

/** Six homes from two hours before a month's end to two hours after it; the register of B and C is not read once. */
const HOMES = ["A", "B", "C", "D", "E", "F"];
const GAPS: Readonly<Record<string, number>> = { B: 1, C: 5 };

function wh(i: number, n: number): number {
  return 100 + 10 * i + 7 * (n % 5);
}

function writeHomes(name: string, isGap: (home: string, n: number) => boolean): void {
  const lines = Array.from({ length: 8 }, (_, n) => {
    const time = new Date(Date.UTC(2026, 2, 31, 22) + n * 1_800_000).toISOString().slice(0, 16);
    return [time, ...HOMES.map((home, i) => (isGap(home, n) ? "" : `0.${wh(i, n)}`))].join(",");
  });
  writeFileSync(inFolder(name), `${["reading_datetime", ...HOMES].join(",")}\n${lines.join("\n")}\n`);
}

/** What the home's own meter says of its missing period, when somebody reads it. */
function writeLog(home: string, value: number): void {
  const n = GAPS[home] as number;
  const [month, k] = n < 4 ? ["2026-03", 1484 + n] : ["2026-04", n - 4];
  const periods = [{ month, k, consumptionWh: String(value), proofs: [null, null], refusals: [] }];
  const log = { format: "veilgrid/meter-log", version: 1, meter: home, periods };
  writeFileSync(inFolder(`${home}.json`), JSON.stringify(log));
}

interface Settled {
  readonly periods: readonly { readonly periodStart: string; readonly status: string }[];
}

async function billed(home: string, out: string): Promise<bigint> {
  let sum = 0n;
  for (const month of ["2026-03", "2026-04"]) {
    const { lines } = await json<BillReport>(`bill show ${home} --month ${month} --out ${out}`);
    for (const { nano } of lines) sum += BigInt(nano);
  }
  return sum;
}

describe("veilgrid kgcbp settle", function () {
  this.timeout(600_000);

  before(async () => {
    const tariff = {
      minorDigits: 2,
      tiers: [[300, 50_000], [null, 80_000]], // prettier-ignore
      fixed: [200_000_000],
      taxes: [81_000],
      missingRule: "last-day",
    };
    writeFileSync(inFolder("settled-tariff.json"), JSON.stringify(tariff));
    writeHomes("gaps.csv", (home, n) => GAPS[home] === n);
    writeHomes("whole.csv", () => false);
    for (const home of ["B", "C"]) writeLog(home, wh(HOMES.indexOf(home), GAPS[home] as number));
    const asked = "--tariff settled-tariff.json --min-meters 5 --seed 3";
    await typed(`demo --readings whole.csv ${asked} --out without-gaps`);
    await typed(`setup --readings gaps.csv ${asked} --out gaps`);
    await typed("periods run --count 8 --out gaps");
  });

  it("settles the next bill, and revises the last one, to the truth of the file without gaps", async () => {
    const log = "--log B.json --out gaps";
    expect(await typed(`kgcbp settle B ${log} --dry-run`)).to.contain(
      "nothing changed; it would be: 1 period of B settled",
    );
    const settled = rows(await typed(`kgcbp settle B ${log}`));
    expect(settled[1]).to.equal("2026-03-31T22:30Z | 117 | settled");
    const again = await json<Settled>(`kgcbp settle B ${log}`);
    expect(again.periods).to.deep.include({
      periodStart: "2026-03-31T22:30Z",
      month: "2026-03",
      k: 1485,
      wh: "117",
      status: "known",
    });
    writeLog("B", 118);
    expect((await failing(`kgcbp settle B ${log}`)).error.code).to.equal("settled-otherwise");
    expect((await failing("kgcbp settle C --log B.json --out gaps")).error.code).to.equal("other-meter");
    expect((await failing("kgcbp settle Z --out gaps")).error.code).to.equal("unknown-meter");
    // The run's own meters have nothing else to say, as they are or by a file of theirs.
    const nothing = "8 values of a period that was measured\n0 periods of A settled";
    expect(await typed("kgcbp settle A --out gaps")).to.contain(nothing);
    writeFileSync(inFolder("A.json"), await typed("kgcbp meter log A --out gaps"));
    expect(await typed("kgcbp settle A --log A.json --out gaps")).to.contain(nothing);
    const march = await json<MeterLogJson>("kgcbp meter log B --month 2026-03 --out gaps");
    expect(march.periods.map(({ consumptionWh }) => consumptionWh)).to.deep.equal(["110", null, "124", "131"]);
    expect((await failing("kgcbp meter log Z --out gaps")).error.code).to.equal("unknown-meter");

    await typed("bill issue --out gaps");
    expect(await billed("C", "gaps")).not.to.equal(await billed("C", "without-gaps"));
    expect(rows(await typed("bill show B --month 2026-04 --out gaps"))).to.satisfy((lines: string[]) =>
      lines.some((line) => line.startsWith("settlement of 2026-03: read from the meter's own log | ")),
    );
    // The supply is over: C's last bill is revised, and the run's outcome with it.
    await typed("kgcbp settle C --log C.json --out gaps");
    expect(await typed("bill list --month 2026-04 --out gaps")).to.match(/│ C +│ 2026-04 │ +1 │/);
    await typed("bill issue --out gaps");
    for (const home of ["B", "C"])
      expect(await billed(home, "gaps"), home).to.equal(await billed(home, "without-gaps"));
    expect(await typed("bill verify --all --out gaps")).to.contain("12 of 12 bills verified from the ledger");
  });

  it("is recomputed by the customer, offline with the earlier bill beside", async () => {
    const { bills } = await json<{ bills: { meter: string; month: string; bid: string; cid: string }[] }>(
      "bill list --out gaps",
    );
    const content = await ContentFolder.open(inFolder("gaps/ipfs"));
    const own = bills.filter(({ meter }) => meter === "B");
    for (const { month, cid } of own)
      writeFileSync(inFolder(`B-${month}.age`), await content.get(CID.parse(cid).bytes));
    await typed("ledger export gaps.vgl.gz --out gaps");
    const offline =
      `bill verify --ledger gaps.vgl.gz --month 2026-04 --bid ${own[0]?.bid ?? ""} ` +
      "--identity gaps/customers/B.age-identity --bill B-2026-04.age";
    expect(await typed(offline)).to.contain("not recomputed: the settlement of 1 period of 2026-03");
    expect(await typed(`${offline} --earlier B-2026-03.age`)).to.contain(
      "recomputed: the settlement of 1 period of 2026-03; its values are the word of the meter's own log",
    );
    const misplaced = await failing("bill verify B --month 2026-04 --earlier B-2026-03.age --out gaps");
    expect(misplaced.error.code).to.equal("bad-option");
  });
});

describe("veilgrid receipt", function () {
  this.timeout(600_000);

  it("exports a meter's receipts, and acquits by an exported ledger alone", async () => {
    const text = await typed("receipt export A --period 2026-03-31T22:00Z --out gaps");
    writeFileSync(inFolder("receipt.json"), text);
    const { receipts } = JSON.parse(text) as { receipts: { reading: string; receipt: string }[] };
    expect(receipts).to.have.length(2);
    expect(text).not.to.contain('A"');
    const shown = rows(await typed("receipt check receipt.json --ledger gaps.vgl.gz"));
    expect(shown.slice(1)).to.deep.equal(
      Array(2).fill("1 | 2026-03 | 1484 | acquitted | the committed block has the reading"),
    );
    const kept = await typed("receipt check --meter A --period 2026-03/1484 --out gaps");
    expect(kept).to.contain("2 receipts checked; nobody is convicted");
    expect((await failing("receipt export B --period 2026-03/1485 --out gaps")).error.code).to.equal("no-receipt");
    // A forged one convicts nobody.
    const [one] = receipts;
    const forged = { ...JSON.parse(text), receipts: [{ ...one, reading: receipts[1]?.reading }] } as unknown;
    writeFileSync(inFolder("forged.json"), JSON.stringify(forged));
    const refused = await failing("receipt check forged.json --ledger gaps.vgl.gz");
    expect([refused.code, refused.error.code]).to.deep.equal([1, "not-acked"]);
    for (const wrong of [
      "receipt check --out gaps",
      "receipt check receipt.json --meter A --period 2026-03/1 --out gaps",
    ]) {
      expect((await failing(wrong)).error.code).to.equal("bad-option");
    }
  });
});
