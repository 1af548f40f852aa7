import { readFileSync, writeFileSync } from "node:fs";
import { canonicalJson, type BillReport } from "@veilgrid/protocol";
import { CID } from "multiformats/cid";
import { expect } from "chai";
import { ContentFolder } from "../../src/ipfs/content-folder.js";
import { inFolder, json, rows, typed, veilgrid } from "./command.js";
import { prepared } from "./prepared.js";

interface Listed {
  readonly meter: string;
  readonly bid: string;
  readonly month: string;
  readonly revision: number;
  readonly cid: string;
  readonly hash: string;
}

interface Verdicts {
  readonly verified: boolean;
  readonly bills: readonly {
    readonly name: string;
    readonly total: string | null;
    readonly verified: boolean;
    readonly differences: readonly { readonly code: string }[];
  }[];
}

describe("veilgrid bill", function () {
  this.timeout(60_000);
  let first: Listed;
  /** All that the commands have said of customers. */
  const shown: string[] = [];
  const said = async (line: string): Promise<string> => {
    const text = await typed(line);
    shown.push(text);
    return text;
  };

  before(async () => {
    await prepared();
    const { bills } = await json<{ bills: Listed[] }>("bill list --out run");
    expect(bills.map(({ meter }) => meter).slice(0, 2)).to.deep.equal(["H01", "H02"]);
    expect(bills).to.have.length(12);
    first = bills[0] as Listed;
    // What a customer has who needs no folder.
    const ciphertext = await (await ContentFolder.open(inFolder("run/ipfs"))).get(CID.parse(first.cid).bytes);
    writeFileSync(inFolder("bill.age"), ciphertext);
    ciphertext[1000] = (ciphertext[1000] as number) ^ 1;
    writeFileSync(inFolder("changed.age"), ciphertext);
  });

  const offline = (bill: string): string =>
    `--ledger run.vgl --bid ${first.bid} --identity run/customers/H01.age-identity --bill ${bill} --month 2013-04`;

  it("list names what is on the ledger", async () => {
    const text = await said("bill list --month 2013-04 --out run");
    expect(rows(text)[1]).to.equal(`H01 | 2013-04 | 0 | ${first.cid}`);
    expect(text).to.match(/\n12 bills\n$/);
  });

  it("show is a bill that its customer can follow", async () => {
    const text = await said("bill show H01 --periods --out run");
    expect(text).to.include(
      "supply          2013-04-08 18:00+02:00 to 2013-04-08 20:00+02:00 (Europe/Zurich), 4 periods of 30 minutes\n" +
        "readings        3 measured, 1 missing, 0 estimated\n" +
        "energy          0.700 kWh\n" +
        "price of a kWh  -0.040000 to 0.300000 CHF\n",
    );
    expect(rows(text)).to.deep.equal([
      "line | exact (CHF) | shown",
      "energy at the ledger's prices | 0.125000000 | 0.12",
      "block tariff | 0.110000000 | 0.11",
      "fixed charge 1 | 0.500000000 | 0.50",
      "tax 1, 7.7 % | 0.056595000 | 0.06",
      "total |  | 0.79",
      "k | period | consumption | price of a kWh | cost | quality",
      "368 | 2013-04-08 18:00+02:00 | 0.100 kWh | 0.250000 | 0.025000000 | measured",
      "369 | 2013-04-08 18:30+02:00 | 0.200 kWh | 0.300000 | 0.060000000 | measured",
      "370 | 2013-04-08 19:00+02:00 | 0.000 kWh | -0.040000 | 0.000000000 | missing",
      "371 | 2013-04-08 19:30+02:00 | 0.400 kWh | 0.100000 | 0.040000000 | measured",
    ]);
    expect(text).to.include("- block tariff, up to 0.300 kWh of the month: 0.100000 CHF a kWh\n");
  });

  it("show --json is the canonical report", async () => {
    const text = await said("bill show H02 --json --out run");
    const report = JSON.parse(text) as BillReport;
    expect(text).to.equal(`${canonicalJson(report)}\n`);
    expect(report.columns.consumptionWh).to.deep.equal([-150, -50, 30, 60]);
    expect(report.columns.costNano).to.deep.equal(["-37500000", "-15000000", "-1200000", "6000000"]);
  });

  it("verify recomputes one bill, or all of them", async () => {
    const [one, all] = [
      await said("bill verify H01 --out run"),
      await json<Verdicts>("bill verify --all --month 2013-04 --out run"),
    ];
    expect(one).to.equal(
      "verified: 0.79 for H01, 2013-04\n1 set of seeds under the ledger's roots, 4 periods and 4 lines recomputed\n",
    );
    expect(all.verified).to.equal(true);
    expect(all.bills).to.have.length(12);
    expect(all.bills[0]).to.deep.include({
      name: "H01",
      month: "2013-04",
      total: "79",
      verified: true,
      differences: [],
    });
    expect(rows(await typed("bill verify --all --out run"))[1]).to.equal("H01 | 2013-04 | 0.79 | yes");
  });

  it("verify works from an exported ledger, with nothing else of the operator's", async () => {
    const store = offline("bill.age").replace("--bill bill.age", "--ipfs run/ipfs");
    const [text, verdicts] = await Promise.all([
      typed(`bill verify ${offline("bill.age")}`),
      json<Verdicts>(`bill verify ${store}`),
    ]);
    expect(text).to.include(`verified: 0.79 for ${first.bid}, 2013-04\n`);
    expect(verdicts.verified).to.equal(true);
  });

  it("verify tells a bill that does not hold from one that cannot be checked", async () => {
    const [changed, foreign, pinned] = await Promise.all([
      veilgrid(`bill verify ${offline("changed.age")} --json`.split(" ")),
      veilgrid(`bill verify ${offline("bill.age").replace("H01", "H02")}`.split(" ")),
      veilgrid(`bill verify ${offline("bill.age")} --consortium ${"0".repeat(64)}`.split(" ")),
    ]);
    expect(changed.code).to.equal(1);
    const { verified, bills } = JSON.parse(changed.stdout) as Verdicts;
    expect(verified).to.equal(false);
    expect(bills[0]?.differences.map(({ code }) => code)).to.deep.equal(["wrong-bill-hash"]);
    expect(foreign).to.include({ code: 2, stdout: "" });
    expect(foreign.stderr).to.equal("error cannot-decrypt: the identity does not open this bill\n");
    expect(pinned.code).to.equal(1);
    expect(pinned.stderr).to.match(/^error wrong-consortium: /);
  });

  it("explain says why a number is what it is", async () => {
    const [measured, missing] = [
      await said("bill explain H02 --period 2013-04-08T18:10 --out run"),
      await said("bill explain H01 --period 370 --out run"),
    ];
    const [title, , because] = measured.split("\n");
    expect(title).to.equal("H02, period 368 of 2013-04: 2013-04-08 18:00+02:00 to 2013-04-08 18:30+02:00, region 1");
    expect(because).to.equal("measured: both halves are on the ledger, once each");
    const opened = rows(measured)
      .slice(1)
      .map((row) => row.split(" | ").slice(2).map(BigInt) as [bigint, bigint, bigint]);
    for (const [rc, mask, value] of opened) expect(BigInt.asUintN(64, rc - mask)).to.equal(value);
    expect(
      BigInt.asIntN(
        64,
        opened.reduce((sum, [, , value]) => sum + value, 0n),
      ),
    ).to.equal(-150n);
    expect(measured.trim().split("\n").slice(-4)).to.deep.equal([
      "the two add up, mod 2^64 and with a sign, to -150 Wh",
      "billed: -150 Wh x 250000 micro-units a kWh = -37500000 nano-units (-0.037500000 CHF), exactly",
      "the block tariff adds -0.015000000 CHF for it",
      "rounding: none here; all periods add up to -47700000 nano-units, which the bill shows as -0.05",
    ]);
    expect(missing).to.include("missing: no half of the reading is on the ledger\n");
    expect(missing).to.include("so the period opens to nothing\n");
  });

  it("explain is the same offline, and for a program", async () => {
    const [inRun, alone] = await Promise.all([
      json<Record<string, unknown>>("bill explain H01 --period 2013-04-08T17:30Z --out run"),
      json<Record<string, unknown>>(`bill explain --period 371 ${offline("bill.age")}`),
    ]);
    expect(inRun).to.include({
      name: "H01",
      k: 371,
      agrees: true,
      openedWh: "400",
      billedWh: 400,
      costNano: "40000000",
    });
    expect(inRun.start).to.equal("2013-04-08T17:30:00.000Z");
    expect({ ...alone, name: "H01" }).to.deep.equal(inRun);
  });

  it("never shows a PRID beside a BID", async () => {
    const block = await json<{ leaves: { prid: string }[] }>("block show 1 2 --ledger run.vgl");
    expect(block.leaves).to.have.length(24);
    expect(shown).to.have.length(6);
    for (const { prid } of block.leaves) for (const text of shown) expect(text).not.to.include(prid.slice(0, 12));
    expect(JSON.stringify(block)).not.to.include(first.bid);
  });

  it("leaves the tables that scripts rely on", () => {
    const [bills, periods] = ["bills", "periods"].map((name) =>
      readFileSync(inFolder(`run/${name}.csv`), "utf8")
        .trim()
        .split("\n"),
    ) as [string[], string[]];
    expect(bills.slice(0, 2)).to.deep.equal([
      "meter,bid,month,energy_wh,energy_cost_nano,total_minor,missing,verified",
      `H01,${first.bid},2013-04,700,125000000,79,1,true`,
    ]);
    expect(periods).to.deep.equal([
      "region,period_start,meters,consumption_wh,price_micro_per_kwh,basis",
      "1,2013-04-08T16:00Z,12,7450,250000,measured",
      "1,2013-04-08T16:30Z,12,7660,300000,measured",
      "1,2013-04-08T17:00Z,11,7550,-40000,measured",
      "1,2013-04-08T17:30Z,12,7990,100000,measured",
    ]);
  });
});
