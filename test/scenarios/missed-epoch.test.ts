import { expect } from "chai";
import { addPeriods, KIND, periodEnd, Reader, type BillReport, type Period } from "@veilgrid/protocol";
import { CommittedMonth, ContentFolder, Customer, type Run, type World } from "@veilgrid/gateway";
import { billed, tariffJson, total } from "../src/months/tariff.js";
import { PRICE } from "../src/months/truth.js";
import { MeterCsv } from "../src/world/meter-csv.js";
import { beginRun, finish, type Finished } from "../src/world/small-run.js";

/** Fourteen real homes, four hours; the epochs of region 2 are cut where one of region 1 moves there. */
const CSV = MeterCsv.sgsc(14, 8, "2013-04-08T20:00Z");
const [MOVED, AT] = [0, 2];
/** The periods of region 2 of which no epoch is committed: its second one missed its time. */
const MISSED = [2, 3];
const FIRST: Period = { month: 12 * 2013 + 3, k: 7 * 48 + 40 };
const nth = (n: number): Period => addPeriods(FIRST, n, 1800);
const name = (home: number): string => CSV.households[home] as string;

/** Loses the epoch of region 2 that begins where the meter joins it, until its first periods are over. */
function lose(world: World): void {
  const until = periodEnd(nth(MISSED.at(-1) as number), 1800) + 60_000;
  world.network.drop(({ from, method, direction, bytes }) => {
    if (from !== "kgcbp" || method !== "transaction" || direction !== "request") return false;
    const reader = new Reader(bytes, "transaction");
    if (reader.u8() !== KIND.epoch || world.clock.now() >= until) return false;
    reader.u8();
    const [region, month, k] = [reader.u16(), reader.u32(), reader.u16()];
    return region === 2 && month === FIRST.month && k >= FIRST.k + AT;
  });
}

/** When every window is over: what the registers have of all periods. */
async function settle(world: World, statuses: string[]): Promise<void> {
  for (const meter of CSV.households) {
    const log: { period: Period; wh: bigint }[] = [];
    for (const n of CSV.starts.keys()) {
      const wh = (await world.meterLog(meter, nth(n)))?.consumption;
      if (wh !== undefined) log.push({ period: nth(n), wh });
    }
    const settled = await world.kgcbp.settling.settle(meter, log);
    statuses.push(settled.map(({ status }) => status[0]).join(""));
  }
}

async function reportsOf(run: Run): Promise<BillReport[]> {
  const world = await run.world();
  try {
    const content = await ContentFolder.open(run.folder.ipfs);
    const committed = await CommittedMonth.open(FIRST.month, { view: world.view });
    const reports: BillReport[] = [];
    for (const { bid, customer } of run.keys.homes) {
      reports.push((await new Customer({ bid, identity: customer.identity }, { content }).open(committed)).report);
    }
    return reports;
  } finally {
    await world.close();
  }
}

/** Whether a home's meter has a reading on the ledger. */
function isMeasured(home: number, n: number): boolean {
  return !MISSED.includes(n) || (home !== MOVED && home % 2 === 0);
}

/** Price of a region's period by the file, micro-units. */
function price(region: number, n: number): bigint {
  const wattHours = CSV.wattHours() as bigint[][];
  const inRegion = (home: number): boolean => (home === MOVED && n >= AT ? 2 : 1 + (home % 2)) === region;
  const counted = wattHours.flatMap((row, home) => (inRegion(home) && isMeasured(home, n) ? [row[n] as bigint] : []));
  const sum = counted.length === 0 ? 0n : total(counted);
  return PRICE.base + (PRICE.slope * sum + 500n) / 1000n;
}

/** Whose price a home's period has: where no epoch counts it, the old region's leaf still rules the moved meter. */
function pricedIn(home: number, n: number): number {
  if (home !== MOVED) return 1 + (home % 2);
  return n < AT || MISSED.includes(n) ? 1 : 2;
}

describe("a meter that moves to a region whose next epoch misses its time", function () {
  this.timeout(300_000);
  const statuses: string[] = [];
  let finished: Finished;
  let reports: BillReport[];

  before(async () => {
    const run = await beginRun(CSV, {
      price: `linear:${PRICE.base},${PRICE.slope}`,
      tariff: tariffJson("profile"),
      minReleaseMeters: 5,
    });
    finished = await finish(run, {
      watch: async (world) => {
        lose(world);
        await world.changeMeter({ kind: "move", meter: name(MOVED), region: 2, at: nth(AT) });
        world.clock.at(periodEnd(nth(7), 1800) + 1_200_000, "logs are read", () => settle(world, statuses));
      },
    });
    reports = await reportsOf(run);
  });

  it("has no sums of that region meanwhile, and the others exact", () => {
    const empty = finished.periods.filter(({ region }) => region === "2").map(({ period_start: start }) => start);
    const isMissed = (n: number): boolean => MISSED.includes(n);
    const due = CSV.starts
      .filter((_, n) => !isMissed(n))
      .map((start) => `${new Date(start).toISOString().slice(0, 16)}Z`);
    expect(empty).to.deep.equal(due);
    const prices = finished.periods.map(({ region, price_micro_per_kwh: micro }) => `${region ?? ""} ${micro ?? ""}`);
    const ns = [...CSV.starts.keys()];
    expect(prices).to.deep.equal([
      ...ns.map((n) => `1 ${price(1, n)}`),
      ...ns.filter((n) => !isMissed(n)).map((n) => `2 ${price(2, n)}`),
    ]);
  });

  it("shows the periods as eliminated on the moved meter's bill, and without an epoch on the others'", () => {
    expect(finished.outcome.bills.map(({ verified, difference }) => difference ?? verified)).to.deep.equal(
      CSV.households.map(() => true),
    );
    const [moved, other] = [reports[MOVED], reports[1]];
    expect(moved?.eliminated).to.deep.equal([{ from: FIRST.k + 2, to: FIRST.k + 4 }]);
    expect(moved?.columns.quality).to.deep.equal([0, 0, 2, 2, 0, 0, 0, 0]);
    expect(other?.eliminated).to.deep.equal([]);
    expect(other?.columns.quality).to.deep.equal([0, 0, 3, 3, 0, 0, 0, 0]);
    expect(new Set(reports.map(({ bid }) => bid)).size).to.equal(14);
  });

  it("settles them from the logs, each at the price that rules it, to the truth of the file", () => {
    expect(statuses).to.deep.equal(
      CSV.households.map((_, home) => CSV.starts.map((__, n) => (isMeasured(home, n) ? "m" : "s")).join("")),
    );
    const wattHours = CSV.wattHours() as bigint[][];
    for (const [home, { lines }] of reports.entries()) {
      const prices = CSV.starts.map((_, n) => price(pricedIn(home, n), n));
      const truth = billed({
        ...{ from: FIRST.k, readings: wattHours[home] as bigint[], prices, penalties: 0, rule: "profile" },
      });
      expect(total(lines.map(({ nano }) => BigInt(nano))), name(home)).to.equal(total(truth.lines));
    }
    expect(finished.audit.findings).to.deep.equal([]);
  });
});
