import {
  BASIS,
  computeBill,
  encodeReport,
  isVeilgridError,
  monthCloses,
  parseTariff,
  plaintextBytes,
  toHex,
  type BillReport,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { committedMonths } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import type { Kgcbp } from "../../src/kgcbp/kgcbp.js";
import { REASON, type LoggedValue, type SettledValue } from "../../src/kgcbp/settle-desk.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const APRIL = MARCH + 1;
/** 22:00 on 31 March to 02:00 on 1 April. */
const FIRST: Period = { month: MARCH, k: 1484 };
const END: Period = { month: APRIL, k: 4 };
const params = paramsOf();
const PRICE = 250_000n;

/** Everything that a recomputed month changes with it. */
const TARIFF = parseTariff({
  minorDigits: 2,
  tiers: [[500, 210000], [null, 340000]], // prettier-ignore
  fixed: [123456789],
  taxes: [190000],
  adjustment: { thresholdWh: 900, below: -7, above: 5 },
  missingRule: "profile",
  profile: Array.from({ length: 48 }, (_, i) => 1 + (i % 5)),
});

const NAMES = ["a", "b", "c", "d", "e", "f"];

const consumption = ({ enrolment }: Home, { month, k }: Period): bigint =>
  BigInt((((enrolment.bid[0] as number) * 31 + month + k * 17) % 900) - 150);

/** What is silent, by meter: month and k. */
const SILENT: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  a: [[MARCH, 1485], [MARCH, 1487]], // prettier-ignore
  b: [[MARCH, 1484], [APRIL, 1]], // prettier-ignore
  c: [[APRIL, 2]],
};

const said: Consumption = (home, period) => {
  const silent = SILENT[home.enrolment.meter]?.some(([month, k]) => month === period.month && k === period.k);
  return silent === true ? undefined : consumption(home, period);
};

function kgcbpOf({ kgcbp }: Town): Kgcbp {
  if (kgcbp === undefined) throw new Error("KGCBP is stopped");
  return kgcbp;
}

async function townOf(
  from: Period,
  to: Period,
  start: number,
  change: Parameters<typeof paramsOf>[0] = {},
): Promise<Town> {
  const homes = await Promise.all(NAMES.map((name) => homeOf(name, 1, from, to)));
  const town = new Town({ homes, params: paramsOf(change), start, tariff: TARIFF });
  await town.setUp();
  await town.settle();
  return town;
}

/** Two hours on either side of the month's end, up to the bills of March. */
async function acrossMonths(change: Parameters<typeof paramsOf>[0] = {}): Promise<Town> {
  const town = await townOf(FIRST, END, Date.UTC(2026, 2, 31, 12), change);
  await town.periods(FIRST, 8, said);
  return town;
}

function homeNamed(town: Town, meter: string): Home {
  const home = town.homes.find(({ enrolment }) => enrolment.meter === meter);
  if (home === undefined) throw new Error("no such home");
  return home;
}

/** The log of a meter, all eight periods of it. */
function logOf(town: Town, meter: string, count = 8): LoggedValue[] {
  const home = homeNamed(town, meter);
  return Array.from({ length: count }, (_, i) => {
    const period = i < 4 ? { month: MARCH, k: 1484 + i } : { month: APRIL, k: i - 4 };
    return { period, wh: consumption(home, period) };
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
  return "fine";
}

function statuses(values: readonly SettledValue[]): string[] {
  return values.map(({ status }) => status);
}

async function verified(town: Town, meter: string, month: number): Promise<VerifiedBill> {
  const { enrolment, identity } = homeNamed(town, meter);
  const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
  const others = committedMonths({ view: town.view });
  const bill = await customer.verify(await others(month), others);
  expect(bill.differences).to.deep.equal([]);
  expect(bill.uncheckedDeltas).to.deep.equal([]);
  return bill;
}

function nanoOf({ lines }: Pick<BillReport, "lines">): bigint {
  return lines.reduce((sum, { nano }) => sum + BigInt(nano), 0n);
}

/** What a month costs whose readings are all there. */
function truth(home: Home, month: number, ks: readonly number[]): bigint {
  const readings = ks.map((k) => consumption(home, { month, k }));
  const { lines } = computeBill({
    tariff: TARIFF,
    periodSeconds: 1800,
    from: ks[0] as number,
    readings,
    prices: readings.map(() => PRICE),
  });
  return lines.reduce((sum, { nano }) => sum + nano, 0n);
}

describe("KGCBP settling meters' logs", function () {
  this.timeout(120_000);

  it("brings each customer's two months to the truth: on the next bill, on the last one, and on its revision", async () => {
    const town = await acrossMonths();
    await town.runTo(monthCloses(MARCH, params) + 60_000);
    const { settling } = kgcbpOf(town);
    const log = logOf(town, "a");
    expect(statuses(await settling.settle("a", log, { dryRun: true })).slice(0, 4)).to.deep.equal([
      "measured",
      "settled",
      "measured",
      "settled",
    ]);
    await settling.settle("a", log);
    await settling.settle("b", logOf(town, "b"));
    // What is kept survives a crash, and the same again changes nothing.
    town.stopKgcbp();
    await town.startKgcbp();
    const again = await kgcbpOf(town).settling.settle("a", log);
    expect(statuses(again).filter((status) => status === "known")).to.have.length(2);
    expect(statuses(again)).not.to.include("settled");

    await town.runTo(monthCloses(APRIL, params) + 60_000, 86_400_000);
    const { report } = await verified(town, "a", APRIL);
    const [wh1, wh3] = [1485, 1487].map((k) => Number(consumption(homeNamed(town, "a"), { month: MARCH, k })));
    expect(report.deltas).to.have.length(1);
    expect(report.deltas[0]).to.deep.include({
      month: "2026-03",
      reason: REASON,
      k: [1485, 1487],
      settledWh: [wh1, wh3],
    });
    const { columns } = (await verified(town, "a", MARCH)).report;
    expect(report.deltas[0]?.billedWh).to.deep.equal([columns.consumptionWh[1], columns.consumptionWh[3]]);
    // The last bill settles its own month.
    expect((await verified(town, "b", APRIL)).report.deltas.map(({ month }) => month)).to.deep.equal([
      "2026-03",
      "2026-04",
    ]);

    // C's log is read when its last bill is out: that bill is revised.
    expect((await verified(town, "c", APRIL)).entry.revision).to.equal(0);
    await kgcbpOf(town).settling.settle("c", logOf(town, "c"), { reason: "read at the meter" });
    expect(await kgcbpOf(town).settling.isDone()).to.equal(false);
    // Killed before it is committed: the same revision is sent again, and no other.
    town.stopKgcbp();
    await town.startKgcbp();
    await town.settle();
    expect(await kgcbpOf(town).settling.isDone()).to.equal(true);
    const revised = await verified(town, "c", APRIL);
    expect(revised.entry.revision).to.equal(1);
    expect(revised.report.deltas.map(({ month, reason }) => [month, reason])).to.deep.equal([
      ["2026-04", "read at the meter"],
    ]);

    for (const home of town.homes) {
      const { meter } = home.enrolment;
      const billed = [await verified(town, meter, MARCH), await verified(town, meter, APRIL)];
      const total = billed.reduce((sum, one) => sum + nanoOf(one.report), 0n);
      const due = truth(home, MARCH, [1484, 1485, 1486, 1487]) + truth(home, APRIL, [0, 1, 2, 3]);
      expect(total, meter).to.equal(due);
    }
    expect(
      town.logged.filter((line) => town.homes.some(({ enrolment }) => line.includes(toHex(enrolment.bid)))),
    ).to.deep.equal([]);
  });

  it("says more on another revision, and repeats there what the one before said", async () => {
    const town = await acrossMonths();
    await town.runTo(monthCloses(APRIL, params) + 60_000, 86_400_000);
    const { settling } = kgcbpOf(town);
    const log = logOf(town, "b");
    await settling.settle("b", log.slice(4));
    await town.settle();
    await settling.settle("b", log.slice(0, 4));
    await town.settle();
    const { entry, report } = await verified(town, "b", APRIL);
    expect(entry.revision).to.equal(2);
    expect(report.deltas.map(({ month }) => month)).to.deep.equal(["2026-03", "2026-04"]);
    expect((await verified(town, "b", MARCH)).entry.revision).to.equal(0);
  });

  it("refuses what contradicts the ledger or an earlier log, with nothing changed", async () => {
    const town = await acrossMonths();
    await town.runTo(monthCloses(MARCH, params) + 60_000);
    const { settling } = kgcbpOf(town);
    const log = logOf(town, "a");
    const otherwise = (i: number): LoggedValue[] =>
      log.map((value, at) => (at === i ? { ...value, wh: value.wh + 1n } : value));
    // Period 0 was measured, period 1 was not.
    expect(await codeOf(settling.settle("a", otherwise(0)))).to.equal("measured");
    expect(
      statuses(await settling.settle("a", log, { dryRun: true })).filter((one) => one === "settled"),
    ).to.have.length(2);
    await settling.settle("a", log);
    expect(await codeOf(settling.settle("a", otherwise(1)))).to.equal("settled-otherwise");
    expect(await codeOf(settling.settle("z", log))).to.equal("unknown-meter");
    expect(await codeOf(settling.settle("b", log.slice(0, 1), { reason: "" }))).to.equal("bad-reason");
    const strange = [
      { period: { month: MARCH, k: 1484 }, wh: 200_001n },
      { period: { month: MARCH, k: 1483 }, wh: 5n },
      { period: { month: APRIL, k: 3 }, wh: 5n },
      { period: { month: APRIL, k: 4 }, wh: 5n },
    ];
    const { readings } = { readings: await town.view.readings(1, { month: APRIL, k: 3 }) };
    expect(
      statuses(
        await settling.settle(
          "b",
          strange.filter(({ period }) => period.k !== 3 || readings === undefined),
        ),
      ),
    ).to.deep.equal(["unbilled", "implausible", ...(readings === undefined ? ["pending"] : []), "unbilled"]);
  });

  it("carries the oldest periods, as far as a bill has room", async () => {
    const settled = async (town: Town): Promise<BillReport> => {
      await town.runTo(monthCloses(MARCH, params) + 60_000);
      await kgcbpOf(town).settling.settle("a", logOf(town, "a"));
      await town.runTo(monthCloses(APRIL, params) + 60_000, 86_400_000);
      return (await verified(town, "a", APRIL)).report;
    };
    const { length } = encodeReport(await settled(await acrossMonths()));
    // Five bytes too few for both periods; other customers' reports have fewer.
    let billBytes = length;
    while (plaintextBytes(billBytes) < length - 5) billBytes += 1;
    const tight = await acrossMonths({ billBytes });
    expect((await settled(tight)).deltas.map(({ k }) => k)).to.deep.equal([[1485]]);
    // The other one waits for a following bill, and there is none.
    expect(statuses(await kgcbpOf(tight).settling.settle("a", logOf(tight, "a")))).not.to.include("settled");
    expect((await tight.view.bill(homeNamed(tight, "a").enrolment.bid, APRIL))?.revision).to.equal(0);
  });
});

describe("deltas that a bill has no room for", function () {
  this.timeout(120_000);
  const MAY = APRIL + 1;
  const END_OF_MAY: Period = { month: MAY, k: 4 };
  /** The periods of April that have an epoch: its first day and its last hour. */
  const COVERED = [...Array.from({ length: 48 }, (_, k) => k), 1438, 1439];

  const sometimes: Consumption = (home, period) => {
    const isSilent = home.enrolment.meter === "a" && period.month === APRIL && [2, 5].includes(period.k);
    return isSilent ? undefined : said(home, period);
  };

  /** Two hours of March, a day and an hour of April, two hours of May: KGCBP is away in between. */
  async function threeMonths(change: Parameters<typeof paramsOf>[0] = {}): Promise<Town> {
    const town = await townOf(FIRST, END_OF_MAY, Date.UTC(2026, 2, 31, 12), change);
    await town.periods(FIRST, 4, sometimes);
    await town.runTo(monthCloses(MARCH, params) + 60_000);
    const log = [1485, 1487].map((k) => ({ period: { month: MARCH, k }, wh: whOf(town, MARCH, k) }));
    expect(statuses(await kgcbpOf(town).settling.settle("a", log))).to.deep.equal(["settled", "settled"]);
    await town.periods({ month: APRIL, k: 0 }, 21, sometimes);
    // 11:00: the epoch of 2 April is not sent yet.
    town.stopKgcbp();
    await town.periods({ month: APRIL, k: 21 }, 27, sometimes);
    await town.runTo(town.startOf({ month: APRIL, k: 1438 }) + 60_000, 86_400_000);
    await town.startKgcbp();
    await town.settle();
    await town.periods({ month: APRIL, k: 1438 }, 2, sometimes);
    await town.runTo(monthCloses(APRIL, params) + 60_000);
    return town;
  }

  function whOf(town: Town, month: number, k: number): bigint {
    return consumption(homeNamed(town, "a"), { month, k });
  }

  function due(home: Home, month: number): bigint {
    const ks = month === MARCH ? [1484, 1485, 1486, 1487] : COVERED;
    const all = month === APRIL ? Array.from({ length: 1440 }, (_, k) => k) : month === MAY ? [0, 1, 2, 3] : ks;
    const isCovered = (k: number): boolean => month !== APRIL || COVERED.includes(k);
    const { lines } = computeBill({
      tariff: TARIFF,
      periodSeconds: 1800,
      from: all[0] as number,
      readings: all.map((k) => (isCovered(k) ? consumption(home, { month, k }) : undefined)),
      prices: all.map((k) => (isCovered(k) ? PRICE : undefined)),
    });
    return lines.reduce((sum, { nano }) => sum + nano, 0n);
  }

  it("come on the following one, before what is younger, and three months are what they should be", async () => {
    const wide = (await verified(await threeMonths(), "a", APRIL)).report;
    expect(wide.deltas.map(({ k }) => k)).to.deep.equal([[1485, 1487]]);
    const { length } = encodeReport(wide);
    let billBytes = length;
    while (plaintextBytes(billBytes) < length - 5) billBytes += 1;

    const town = await threeMonths({ billBytes });
    expect((await verified(town, "a", APRIL)).report.deltas.map(({ k }) => k)).to.deep.equal([[1485]]);
    // At May's end the ledger's state forgets March.
    const march = await verified(town, "a", MARCH);
    const log = [2, 5].map((k) => ({ period: { month: APRIL, k }, wh: whOf(town, APRIL, k) }));
    expect(statuses(await kgcbpOf(town).settling.settle("a", log))).to.deep.equal(["settled", "settled"]);
    await town.periods({ month: MAY, k: 0 }, 4, sometimes);
    await town.runTo(monthCloses(MAY, params) + 60_000, 86_400_000);
    const { report } = await verified(town, "a", MAY);
    expect(report.deltas.map(({ month, k }) => [month, ...k])).to.deep.equal([
      ["2026-03", 1487],
      ["2026-04", 2, 5],
    ]);
    const bills = [march, await verified(town, "a", APRIL), await verified(town, "a", MAY)];
    const home = homeNamed(town, "a");
    expect(bills.reduce((sum, bill) => sum + nanoOf(bill.report), 0n)).to.equal(
      due(home, MARCH) + due(home, APRIL) + due(home, MAY),
    );
    // No revision was needed.
    expect(bills.map(({ entry }) => entry.revision)).to.deep.equal([0, 0, 0]);
  });
});

describe("periods without an epoch, and late releases", function () {
  this.timeout(120_000);
  const at = (k: number): Period => ({ month: MARCH, k });

  it("are settled at their no-epoch price; a release that comes late opens a sum and changes no price", async () => {
    // 11:00 on 30 March: its own epoch is sent, that of the 31st is not, and KGCBP is gone.
    const town = await townOf(at(1438), at(1446), Date.UTC(2026, 2, 30, 11));
    town.stopKgcbp();
    await town.periods(at(1438), 1, consumption);
    await town.runTo(town.startOf(at(1441)) + 1_200_000);
    const late = await town.view.price(1, at(1438));
    expect(late).to.deep.include({ basis: BASIS.lateRelease, price: PRICE, consumption: 0n });
    await town.readings(1, at(1439), await town.leavesOf(1, at(1439), consumption));
    await town.startKgcbp();
    await town.settle();
    expect((await town.view.mask(1, at(1438)))?.status).to.equal(1);
    expect(await town.view.price(1, at(1438))).to.deep.equal(late);
    await town.periods(at(1441), 5, consumption);
    expect(await town.view.price(1, at(1440))).to.deep.include({ basis: BASIS.noEpoch, price: PRICE });

    const { settling } = kgcbpOf(town);
    const home = homeNamed(town, "a");
    const log = [1438, 1439, 1440, 1441].map((k) => ({ period: at(k), wh: consumption(home, at(k)) }));
    expect(statuses(await settling.settle("a", log))).to.deep.equal(["measured", "measured", "settled", "measured"]);
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
    const { report } = await verified(town, "a", MARCH);
    expect(report.columns.quality).to.deep.equal([0, 0, 3, 0, 0, 0, 0, 0]);
    expect(report.deltas[0]).to.deep.include({ k: [1440], billedWh: [0] });
    const ks = [1438, 1439, 1440, 1441, 1442, 1443, 1444, 1445];
    expect(nanoOf(report)).to.equal(truth(home, MARCH, ks));
    expect((await verified(town, "b", MARCH)).report.deltas).to.deep.equal([]);
  });
});
