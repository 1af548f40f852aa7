import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monthCloses, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { billLines, periodLines, writeLines, type BillResult } from "../../src/bill/results.js";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import { paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { Town } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });

describe("result tables", function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "veilgrid-results-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("have every region-period and every bill, from the ledger and the customers' verdicts", async () => {
    const params = paramsOf();
    const homes = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((i) => homeOf(i === 0 ? 'the "old" mill, left' : `home ${i}`, 1, at(1436), at(1438))),
    );
    const town = new Town({ homes, params, start: Date.UTC(2026, 2, 30, 12) });
    await town.setUp();
    await town.settle();
    await town.periods(at(1436), 1, () => 200n);
    await town.periods(at(1437), 1, (home) => (homes.indexOf(home) < 2 ? undefined : -100n));
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);

    const path = join(folder, "periods.csv");
    await writeLines(path, periodLines(town.view, (town.kgcbp as Kgcbp).completeMeters));
    expect(await readFile(path, "utf8")).to.equal(
      "region,period_start,meters,consumption_wh,price_micro_per_kwh,basis\n" +
        "1,2026-03-30T22:00Z,6,1200,250000,measured\n" +
        "1,2026-03-30T22:30Z,4,,250000,too-few\n",
    );

    const month = await CommittedMonth.open(MARCH, { view: town.view });
    async function* results(): AsyncGenerator<BillResult> {
      for (const { enrolment, identity } of homes.slice(0, 3)) {
        const { report, verified } = await new Customer({ bid: enrolment.bid, identity }, town).verify(month);
        yield { meter: enrolment.meter, report, verified };
      }
    }
    await writeLines(join(folder, "bills.csv"), billLines(results()));
    const bids = homes.map(({ enrolment }) => Buffer.from(enrolment.bid).toString("hex"));
    expect(await readFile(join(folder, "bills.csv"), "utf8")).to.equal(
      "meter,bid,month,energy_wh,energy_cost_nano,total_minor,missing,verified\n" +
        `"the ""old"" mill, left",${bids[0]},2026-03,200,50000000,5,1,true\n` +
        `home 1,${bids[1]},2026-03,200,50000000,5,1,true\n` +
        `home 2,${bids[2]},2026-03,100,25000000,3,0,true\n`,
    );
    expect((await readdir(folder)).sort()).to.deep.equal(["bills.csv", "periods.csv"]);
  });

  it("leave no half a table behind", async () => {
    async function* broken(): AsyncGenerator<string> {
      yield "a\n";
      await Promise.reject(new Error("interrupted"));
    }
    let message = "";
    try {
      await writeLines(join(folder, "other.csv"), broken());
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).to.equal("interrupted");
    expect(await readdir(folder)).to.not.include("other.csv");
  });
});
