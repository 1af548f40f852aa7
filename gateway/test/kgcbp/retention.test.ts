import { LedgerView, isVeilgridError, monthCloses, monthEnd, periodStart, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth, committedMonths } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import type { Store } from "../../src/ports/store.js";
import { MemoryStore } from "../../src/store/memory.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { sealed } from "../support/sealed.js";
import { Town, type Consumption } from "../support/town.js";

const [MARCH, APRIL, MAY] = [12 * 2026 + 2, 12 * 2026 + 3, 12 * 2026 + 4];
const MONTHS = [MARCH, APRIL, MAY];
const REGIONS = [1, 2];
/** The first half-hours of each month are supplied; then everything is off until the next. */
const PERIODS = 3;
const HOUR = 3_600_000;
const params = paramsOf({ closeMonths: 1, retentionMonths: 1 });

/** What a home consumes; one meter is off for once in March, which opens a case. */
const consumption: Consumption = ({ enrolment }, { month, k }) =>
  enrolment.meter === "home 3" && month === MARCH && k === 1 ? undefined : BigInt((enrolment.bid[1] as number) + k);

async function homes(): Promise<Home[]> {
  const first = { month: MARCH, k: 0 };
  return Promise.all(Array.from({ length: 12 }, (_, i) => homeOf(`home ${i}`, 1 + (i % 2), first, undefined)));
}

async function codeOf(task: () => Promise<unknown>): Promise<string> {
  try {
    await task();
    return "none";
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    return error.code;
  }
}

/** All bills of a month as their customers see them: verified, and the total. */
async function billsOf(town: Town, month: number, view = town.view): Promise<unknown[]> {
  const committed = await CommittedMonth.open(month, { view });
  const bills: unknown[] = [];
  for (const { enrolment, identity } of town.homes) {
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
    const { verified, report } = await customer.verify(committed);
    bills.push([verified, report.total]);
  }
  return bills;
}

/** A town in which nobody counts but in the first periods of each month, so that no epoch covers the rest. */
async function open(of = params): Promise<Town> {
  const town = new Town({
    homes: await homes(),
    params: of,
    start: periodStart({ month: MARCH, k: 0 }, 1800) - 13 * HOUR,
  });
  await town.setUp();
  const { elimination } = town.kgcbp as Kgcbp;
  for (const { enrolment } of town.homes) {
    for (const month of MONTHS) {
      await elimination.eliminate(enrolment.meter, { from: { month, k: PERIODS } });
      if (month !== MAY) await elimination.reinstate(enrolment.meter, { from: { month: month + 1, k: 0 } });
    }
  }
  return town;
}

/** Runs a month's periods. */
async function supplied(town: Town, month: number): Promise<void> {
  await town.runTo(periodStart({ month, k: 0 }, 1800), 24 * HOUR);
  await town.periods({ month, k: 0 }, PERIODS, consumption);
}

/** Reaches a time, with all that is due until then. */
async function reach(town: Town, time: number): Promise<void> {
  await town.runTo(time, 24 * HOUR);
}

async function closedIn(town: Town, month: number): Promise<number[]> {
  const closed: number[] = [];
  for (const region of REGIONS) if (await town.view.monthDeleted(region, month)) closed.push(region);
  return closed;
}

/** A reader of the ledger that still has what a close deletes from the state, as its blocks have. */
function withBodies(town: Town): LedgerView {
  const { committee } = town;
  const bodies = new Map([...committee.state].filter(([key]) => key.startsWith("body/")));
  return new LedgerView({ get: async (key) => (await committee.get(key)) ?? bodies.get(key) });
}

describe("three months of KGCBP's", function () {
  this.timeout(120_000);
  let town: Town;
  let march: readonly unknown[];
  let history: LedgerView;

  before(async () => {
    town = await open();
    await supplied(town, MARCH);
    await reach(town, monthCloses(MARCH, params) + 60_000);
    march = await billsOf(town, MARCH);
    history = withBodies(town);
    await supplied(town, APRIL);
  });

  it("bill the first one, and keep it as long as deltas may come", async () => {
    expect(march).to.deep.equal(town.homes.map((home) => [true, (march[town.homes.indexOf(home)] as string[])[1]]));
    const { retention } = town.kgcbp as Kgcbp;
    expect(await closedIn(town, MARCH)).to.deep.equal([]);
    expect(await codeOf(() => retention.erase(MARCH))).to.equal("retained");
    // April is not billed yet.
    expect(await codeOf(() => retention.erase(MARCH, { early: true }))).to.equal("not-billed");
    const kept = await retention.list();
    expect(
      kept.map(({ month, billed, closed, regions, erased }) => [month, billed, closed, regions, erased]),
    ).to.deep.equal([
      [MARCH, true, 0, 2, false],
      [APRIL, false, 0, 2, false],
    ]);
    expect(kept[0]).to.deep.include({ closesAt: monthEnd(APRIL), erasesAt: monthEnd(APRIL) });
  });

  it("close and erase it when it is time: KGCBP opens nothing of it any more, nor does an older backup", async () => {
    const backup = new MemoryStore();
    await backup.write(await town.store.range(""));
    expect((await town.store.range("settled/")).length).to.equal(2 * REGIONS.length * PERIODS);
    await reach(town, monthCloses(APRIL, params) + 60_000);
    expect(await closedIn(town, MARCH)).to.deep.equal(REGIONS);
    expect(await closedIn(town, APRIL)).to.deep.equal([]);
    const { retention } = town.kgcbp as Kgcbp;
    expect((await retention.list()).map(({ erased }) => erased)).to.deep.equal([true, false, false]);
    const months = async (store: Store, prefix: string): Promise<number[]> =>
      [
        ...new Set((await store.range(prefix)).map(({ key }) => Number(key.split("/").at(prefix === "key/" ? 4 : 2)))),
      ].sort();
    expect(await months(town.store, "settled/")).to.deep.equal([APRIL]);
    expect(await months(town.store, "key/")).to.deep.equal([APRIL, MAY]);
    expect(await town.store.range("case/")).to.deep.equal([]);
    const period: Period = { month: MARCH, k: 0 };
    expect(await codeOf(async () => (town.kgcbp as Kgcbp).outcomes(1, period))).to.equal("not-on-ledger");
    const old = await sealed(await town.view.consortium(), backup, town.shelf);
    expect(await months(backup, "settled/")).to.deep.equal([MARCH, APRIL]);
    expect(await months(old, "settled/")).to.deep.equal([APRIL]);
    expect([await old.range("case/"), await months(old, "key/")]).to.deep.equal([[], [APRIL, MAY].slice(0, 1)]);
  });

  it("leave the closed month's bills to be verified from the blocks, and headers, sums and prices in the state", async () => {
    const { view } = town;
    expect(await view.block(1, 1n)).to.equal(undefined);
    expect((await view.header(1, 1n))?.header.count).to.equal(1);
    expect((await view.mask(1, { month: MARCH, k: 0 }))?.sum).to.not.equal(undefined);
    expect((await view.price(1, { month: MARCH, k: 0 }))?.price).to.equal(250_000n);
    expect(await billsOf(town, MARCH, history)).to.deep.equal(march);
  });

  it("go on: a KGCBP that starts again bills the others, and erases one after the other", async () => {
    town.stopKgcbp();
    await town.startKgcbp();
    await supplied(town, MAY);
    expect((await billsOf(town, APRIL)).every((bill) => (bill as [boolean])[0])).to.equal(true);
    await reach(town, monthCloses(MAY, params) + 60_000);
    expect((await billsOf(town, MAY)).every((bill) => (bill as [boolean])[0])).to.equal(true);
    expect(await closedIn(town, APRIL)).to.deep.equal(REGIONS);
    const { retention } = town.kgcbp as Kgcbp;
    expect((await retention.list()).map(({ erased }) => erased)).to.deep.equal([true, true, false, false]);
    expect(await billsOf(town, MARCH, history)).to.deep.equal(march);
    town.stopKgcbp();
    await town.startKgcbp();
    await town.settle();
    expect(await retention.erase(MARCH)).to.deep.equal([]);
  });

  it("are settled from a meter's log also when they are closed, on the next bill", async () => {
    const closed = await open(paramsOf({ closeMonths: 1, retentionMonths: 24 }));
    await supplied(closed, MARCH);
    await supplied(closed, APRIL);
    const whole = withBodies(closed);
    await reach(closed, monthCloses(APRIL, params) + 60_000);
    expect(await closedIn(closed, MARCH)).to.deep.equal(REGIONS);
    // A KGCBP that starts again has it from its own store alone.
    closed.stopKgcbp();
    await closed.startKgcbp();
    await closed.settle();
    const [settled] = await (closed.kgcbp as Kgcbp).settling.settle("home 3", [
      { period: { month: MARCH, k: 1 }, wh: 400n },
    ]);
    expect(settled?.status).to.equal("settled");
    await supplied(closed, MAY);
    await reach(closed, monthCloses(MAY, params) + 60_000);
    const { enrolment, identity } = closed.homes[3] as Home;
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: closed.content });
    const may = await CommittedMonth.open(MAY, { view: closed.view });
    const { report, differences, uncheckedDeltas } = await customer.verify(may, committedMonths({ view: whole }));
    expect([differences, uncheckedDeltas]).to.deep.equal([[], []]);
    expect(report.deltas.map(({ month, k, settledWh }) => [month, k, settledWh])).to.deep.equal([
      ["2026-03", [1], [400]],
    ]);
  });

  it("can be erased before their time by the operator, once nothing is open", async () => {
    const early = await open(paramsOf({ closeMonths: 1, retentionMonths: 24 }));
    await supplied(early, MARCH);
    await supplied(early, APRIL);
    const { retention, settling, cases } = early.kgcbp as Kgcbp;
    const whole = withBodies(early);
    const missed: Period = { month: MARCH, k: 1 };
    const compared = await cases.compare(2, missed, () => undefined);
    expect(compared.meters.map(({ meter }) => meter)).to.deep.equal(["home 3"]);
    expect(await codeOf(() => retention.erase(MARCH, { early: true }))).to.equal("not-billed");
    await reach(early, monthCloses(APRIL, params) + 60_000);
    expect(await codeOf(() => retention.erase(MARCH))).to.equal("retained");
    // March is closed: without its blocks a log would convict aggregators of what they never did.
    expect(await codeOf(() => cases.compare(2, missed, () => undefined))).to.equal("month-closed");
    expect((await cases.of(2, missed)).status).to.equal("closed");
    // A log that was read after April's bills waits for May's: erasing would lose it.
    const [settled] = await settling.settle("home 3", [{ period: missed, wh: 5n }]);
    expect(settled?.status).to.equal("settled");
    expect(await codeOf(() => retention.erase(MARCH, { early: true, dryRun: true }))).to.equal("settlement-pending");
    expect(await codeOf(() => retention.erase(MARCH, { early: true }))).to.equal("settlement-pending");
    const force = { early: true, force: true };
    expect(await retention.erase(MARCH, { ...force, dryRun: true })).to.deep.equal([MARCH]);
    expect((await retention.list()).map(({ erased }) => erased)).to.deep.equal([false, false, false]);
    expect(await retention.erase(MARCH, force)).to.deep.equal([MARCH]);
    for (const asked of [cases.of(2, missed), cases.compare(2, missed, () => undefined)]) {
      expect(await codeOf(() => asked)).to.equal("month-erased");
    }
    expect(await codeOf(() => cases.of(2, { month: APRIL, k: 1 }))).to.equal("no-case");
    expect((await retention.list()).map(({ erased }) => erased)).to.deep.equal([true, false, false]);
    // Whoever has the bill needs nothing but the ledger.
    expect((await billsOf(early, MARCH, whole)).every((bill) => (bill as [boolean])[0])).to.equal(true);
  });
});
