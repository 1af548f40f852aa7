import { BASIS, MASK_STATUS, monthCloses, toHex, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const APRIL = MARCH + 1;
/** 22:00 on 31 March. */
const FIRST: Period = { month: MARCH, k: 1484 };
/** 02:00 on 1 April. */
const END: Period = { month: APRIL, k: 4 };

async function homes(): Promise<Home[]> {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
  return Promise.all(names.map((name, i) => homeOf(name, i < 6 ? 1 : 2, FIRST, END)));
}

/** Some hundred Wh that follow from home and period; some export. */
const consumption: Consumption = ({ enrolment }, { k }) =>
  BigInt((((enrolment.bid[0] as number) * 31 + k * 17) % 900) - 150);

async function verifyAll(town: Town, month: number): Promise<Map<string, VerifiedBill>> {
  const committed = await CommittedMonth.open(month, { view: town.view });
  const bills = new Map<string, VerifiedBill>();
  for (const { enrolment, identity } of town.homes) {
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
    bills.set(enrolment.meter, await customer.verify(committed));
  }
  return bills;
}

describe("KGCBP, CC and customers", function () {
  this.timeout(60_000);

  it("bill two months of a supply across a month's end, and every bill verifies", async () => {
    const params = paramsOf();
    const town = new Town({ homes: await homes(), params, start: Date.UTC(2026, 2, 31, 12) });
    await town.setUp();
    await town.settle();
    // One epoch a region: the supply's last two hours of March. April's follows 12 hours ahead, once this is committed.
    expect(await town.view.epochs(1, MARCH)).to.deep.equal([{ k: 1484, periods: 4, number: 1n }]);
    expect(await town.view.epochs(2, APRIL)).to.deep.equal([{ k: 0, periods: 4, number: 2n }]);
    await town.periods(FIRST, 8, (home, period) =>
      home.enrolment.meter === "b" && period.k === 1485 ? undefined : consumption(home, period),
    );
    await town.runTo(monthCloses(MARCH, params) + 60_000);
    for (const month of [MARCH, APRIL]) {
      await town.runTo(monthCloses(month, params) + 60_000, 86_400_000);
      const bills = await verifyAll(town, month);
      for (const home of town.homes) {
        const { verified, differences, report } = bills.get(home.enrolment.meter) as VerifiedBill;
        expect(differences).to.deep.equal([]);
        expect(verified).to.equal(true);
        const ks = month === MARCH ? [1484, 1485, 1486, 1487] : [0, 1, 2, 3];
        expect(report.supply).to.deep.equal({ from: ks[0], to: (ks[3] as number) + 1 });
        const missing = home.enrolment.meter === "b" && month === MARCH ? 1485 : -1;
        const due = ks.map((k) => (k === missing ? 0 : Number(consumption(home, { month, k }))));
        expect(report.columns.consumptionWh).to.deep.equal(due);
        expect(report.feedback.missing).to.equal(missing === -1 ? 0 : 1);
        const nano = due.reduce((sum, c) => sum + c, 0) * 250_000;
        expect(report.lines[0]).to.deep.include({ name: "energy", nano: String(nano) });
      }
    }
    const ciphertexts = [...town.content.blocks.values()];
    expect(ciphertexts).to.have.lengthOf(22);
    expect(new Set(ciphertexts.map(({ length }) => length))).to.deep.equal(new Set([params.billBytes]));
  });

  it("releases what is complete, prices by it, and leaves nothing in its outbox", async () => {
    const params = paramsOf();
    const town = new Town({ homes: await homes(), params, start: Date.UTC(2026, 2, 31, 12) });
    await town.setUp();
    await town.settle();
    // Region 1: six meters, five needed. Then one is silent, then two.
    const silent =
      (count: number): Consumption =>
      (home, period) =>
        ["a", "b"].slice(0, count).includes(home.enrolment.meter) ? undefined : consumption(home, period);
    await town.periods(FIRST, 1, consumption);
    await town.periods({ ...FIRST, k: 1485 }, 1, silent(1));
    await town.periods({ ...FIRST, k: 1486 }, 1, silent(2));
    await town.periods({ ...FIRST, k: 1487 }, 1, () => undefined);
    const sumOf = (k: number, without: number): bigint =>
      town.homes
        .filter(({ enrolment }) => enrolment.region === 1)
        .slice(without)
        .reduce((sum, home) => sum + (consumption(home, { month: MARCH, k }) as bigint), 0n);
    const found = [];
    for (const k of [1484, 1485, 1486, 1487]) {
      const mask = await town.view.mask(1, { month: MARCH, k });
      const price = await town.view.price(1, { month: MARCH, k });
      found.push([mask?.status, price?.basis, price?.consumption]);
    }
    expect(found).to.deep.equal([
      [MASK_STATUS.released, BASIS.measured, sumOf(1484, 0)],
      [MASK_STATUS.released, BASIS.measured, sumOf(1485, 1)],
      [MASK_STATUS.tooFew, BASIS.tooFew, 0n],
      [undefined, BASIS.empty, 0n],
    ]);
    expect(town.committee.pending.size).to.equal(0);
    expect((await town.kgcbp?.outcomes(1, { month: MARCH, k: 1486 }))?.map(({ state }) => state).sort()).to.deep.equal([
      "complete",
      "complete",
      "complete",
      "complete",
      "silent",
      "silent",
    ]);
  });

  it("neither log nor keep a BID beside a PRID, nor a month key outside the key store", async () => {
    const town = new Town({ homes: await homes(), params: paramsOf(), start: Date.UTC(2026, 2, 31, 12) });
    await town.setUp();
    await town.settle();
    const prids = [...(town.committee.lists[0]?.values() ?? [])].flat().map(toHex);
    expect(prids).to.have.lengthOf(8 * 2 * 11);
    await town.periods(FIRST, 2, consumption);
    const logged = town.logged.join("\n");
    expect(logged).to.match(/period-settled.*"complete":6/);
    expect(logged).to.match(/price-committed/);
    for (const { enrolment } of town.homes) expect(logged).to.not.include(toHex(enrolment.bid));
    for (const prid of prids) expect(logged).to.not.include(prid);
    const kept = await town.store.range("");
    for (const { key, value } of kept) {
      const text = `${key} ${toHex(value)}`;
      expect(prids.some((prid) => text.includes(prid))).to.equal(false);
      if (key.startsWith("key/")) continue;
      expect(town.homes.some(({ monthKey }) => text.includes(toHex(monthKey)))).to.equal(false);
    }
  });
});
