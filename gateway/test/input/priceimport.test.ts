import { expect } from "chai";
import { monthOf } from "@veilgrid/protocol";
import { importPrices, priceCsv, type PriceImport } from "../../src/input/priceimport.js";
import { parsePolicy } from "../../src/input/prices.js";
import { dataFile, expectRefusal, Scratch } from "./files.js";

const AEMO = dataFile("aemo/aemo_vic1_2024-06_halfhourly.csv");
const LCL = dataFile("lcl/lcl_dtou_tariff_2013.csv");

function sum({ rows }: PriceImport): bigint {
  return rows.reduce((all, { price }) => all + price, 0n);
}

function priceAt({ rows }: PriceImport, time: string): bigint | undefined {
  return rows.find(({ start }) => start === Date.parse(time))?.price;
}

describe("importing prices", () => {
  const scratch = new Scratch();
  afterEach(() => {
    scratch.clean();
  });

  it("of AEMO: AUD/MWh at +10:00, negative ones too, to the nearest micro-AUD", async () => {
    const prices = await importPrices("aemo", AEMO);
    expect(prices.rows).to.have.length(1440);
    expect(prices.rows[0]).to.deep.equal({ start: Date.parse("2024-05-31T14:00Z"), price: 159_325n });
    expect(prices.rows[1]?.price).to.equal(144_918n); // 144.91833 AUD/MWh
    expect(prices.rows.at(-1)?.start).to.equal(Date.parse("2024-06-30T13:30Z"));
    expect(prices.rows.filter(({ price }) => price < 0n)).to.have.length(53);
    expect(prices).to.deep.include({ currency: "micro-AUD", rounded: 943, identicalRepeats: 0, doubled: 0 });
    expect(sum(prices)).to.equal(236_488_399n);
  });

  it("of Low Carbon London: pence, by the clock of London, the skipped hour left out and the doubled one filled", async () => {
    const prices = await importPrices("lcl", LCL);
    expect(prices.rows).to.have.length(17_520);
    expect(prices).to.deep.include({ currency: "micro-GBP", rounded: 0, nonexistent: 2, doubled: 2 });
    expect(sum(prices)).to.equal(2_368_237_200n);
    expect(priceAt(prices, "2013-01-01T00:00Z")).to.equal(117_600n);
    for (const time of ["00:00", "00:30", "01:00", "01:30"]) {
      expect(priceAt(prices, `2013-10-27T${time}Z`), time).to.equal(117_600n);
    }
    expect(new Set(prices.rows.map(({ price }) => price))).to.deep.equal(new Set([117_600n, 672_000n, 39_900n]));
  });

  it("gives a price file that a run can be priced by", async () => {
    const prices = await importPrices("lcl", LCL);
    const path = scratch.write("lcl.csv", priceCsv(prices.rows));
    const policy = await parsePolicy(`csv:${path}`, { periodSeconds: 1800 });
    policy.covers({ month: monthOf("2013-01"), k: 0 }, 365 * 48);
    expect(priceCsv(prices.rows.slice(0, 1))).to.equal("period_start,price_micro_per_kwh\n2013-01-01T00:00Z,117600\n");
  });

  it("takes two rows of the doubled hour as its two passes", async () => {
    const rows = ["2013-10-27T01:00,Low,3.99", "2013-10-27T01:00,High,67.20"];
    const path = scratch.write("l.csv", `tariff_datetime,tariff,price_pence_per_kwh\n${rows.join("\n")}\n`);
    const prices = await importPrices("lcl", path);
    expect(prices.rows.map(({ price }) => price)).to.deep.equal([39_900n, 672_000n]);
    expect(prices.doubled).to.equal(0);
  });

  it("passes an identical repeat over, and another zone may be meant", async () => {
    const rows = "2013-07-01T00:00,Low,3.99\n2013-07-01T00:00,Low,3.990\n";
    const path = scratch.write("l.csv", `tariff_datetime,tariff,price_pence_per_kwh\n${rows}`);
    const prices = await importPrices("lcl", path, "UTC");
    expect(prices.rows).to.deep.equal([{ start: Date.parse("2013-07-01T00:00Z"), price: 39_900n }]);
    expect(prices.identicalRepeats).to.equal(1);
  });

  const HEADER = "interval_start_nem_time,rrp_aud_per_mwh\n";
  for (const [what, content, code, facts] of [
    ["another header", "time,price\n", "unknown-header", { line: 1 }],
    ["no row", HEADER, "empty-file", {}],
    ["a cell too few", `${HEADER}2024-06-01T00:00+10:00\n`, "row-length", { line: 2 }],
    ["a time that is none", `${HEADER}2024-06-31T00:00+10:00,1\n`, "bad-time", { line: 2 }],
    ["a time off the grid", `${HEADER}2024-06-01T00:05+10:00,1\n`, "time-off-grid", { line: 2 }],
    ["text for a price", `${HEADER}2024-06-01T00:00+10:00,n/a\n`, "bad-number", { line: 2 }],
    ["a price beyond 64 bits", `${HEADER}2024-06-01T00:00+10:00,9223372036854775.808\n`, "bad-number", { line: 2 }],
    [
      "two prices for a time",
      `${HEADER}2024-06-01T00:00+10:00,1\n2024-06-01T00:00+10:00,2\n`,
      "repeated-row",
      { line: 3 },
    ],
    [
      "two prices for an instant",
      `${HEADER}2024-06-01T00:00+10:00,1\n2024-05-31T14:00Z,2\n`,
      "repeated-row",
      { line: 3 },
    ],
  ] as const) {
    it(`refuses ${what} (${code})`, () =>
      expectRefusal(() => importPrices("aemo", scratch.write("bad.csv", content)), code, facts));
  }
});
