import { isVeilgridError, monthCloses, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer, type VerifiedBill } from "../../src/customer/customer.js";
import { Register } from "../../src/kgcbp/register.js";
import { MemoryStore } from "../../src/store/memory.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, rekeyed, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";
import { MemoryShelf, keysOf } from "../support/sealed.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number, month = MARCH): Period => ({ month, k });
const NOON = Date.UTC(2026, 2, 30, 12);
const params = paramsOf();
const consumption: Consumption = ({ enrolment }, { k }) => BigInt((enrolment.bid[1] as number) + k);

async function bill(town: Town, { enrolment, identity }: Home): Promise<VerifiedBill> {
  const month = await CommittedMonth.open(MARCH, { view: town.view });
  return new Customer({ bid: enrolment.bid, identity }, town).verify(month);
}

async function run(homes: readonly Home[], first: Period, periods: number, change = params): Promise<Town> {
  const town = new Town({ homes, params: change, start: NOON });
  await town.setUp();
  await town.settle();
  await town.periods(first, periods, consumption);
  await town.runTo(monthCloses(MARCH, change) + 60_000, 7_200_000);
  return town;
}

describe("meters that come, go and change", function () {
  this.timeout(60_000);

  it("count from and to the period that they were enrolled for: epochs are cut there", async () => {
    const steady = await Promise.all([0, 1, 2, 3, 4].map((i) => homeOf(`steady ${i}`, 1, at(1436), at(1442))));
    const late = await homeOf("late", 1, at(1438), at(1442));
    const early = await homeOf("early", 1, at(1436), at(1441));
    const town = await run([...steady, late, early], at(1436), 6);
    const epochs = await town.view.epochs(1, MARCH);
    expect(epochs.map(({ k, periods }) => [k, periods])).to.deep.equal([
      [1436, 2],
      [1438, 2],
      [1440, 1],
      [1441, 1],
    ]);
    const meters = [];
    for (const { number } of epochs) {
      const epoch = await town.view.epoch(1, number);
      meters.push([epoch?.meters, epoch?.leaves]);
    }
    expect(meters).to.deep.equal([
      [6, 6],
      [7, 1],
      [7, 0],
      [6, 0],
    ]);
    for (let k = 1436; k < 1442; k += 1) expect((await town.view.readings(1, at(k)))?.aggFault).to.equal(false);
    const supplies = [];
    for (const home of [late, early]) {
      const { verified, report } = await bill(town, home);
      supplies.push([verified, report.supply.from, report.supply.to, report.feedback.missing]);
    }
    expect(supplies).to.deep.equal([
      [true, 1438, 1442, 0],
      [true, 1436, 1441, 0],
    ]);
  });

  it("bill a new key and a new region as leaves of their own, in one bill", async () => {
    const north = await Promise.all([0, 1, 2, 3, 4].map((i) => homeOf(`north ${i}`, 1, at(1436), at(1442))));
    const south = await Promise.all([0, 1, 2, 3, 4].map((i) => homeOf(`south ${i}`, 2, at(1436), at(1442))));
    const before = await homeOf("moving", 1, at(1436), at(1442));
    const moved = rekeyed(before, at(1439), 2);
    const renewed = rekeyed(north[0] as Home, at(1437), 1);
    // The meters themselves change over: each sends under its newest key alone.
    const until = (home: Home, to: Period): Home => ({ ...home, enrolment: { ...home.enrolment, to } });
    const homes = [
      until(before, at(1439)),
      moved,
      until(north[0] as Home, at(1437)),
      renewed,
      ...north.slice(1),
      ...south,
    ];
    const town = await run(homes, at(1436), 6);
    const mover = await bill(town, before);
    expect(mover.differences).to.deep.equal([]);
    expect(mover.report.seedLeaves.map(({ epoch, first }) => [epoch.region, first])).to.deep.equal([
      [1, 1436],
      [2, 1439],
    ]);
    expect(mover.report.feedback).to.deep.include({ measured: 6, missing: 0 });
    const renewal = await bill(town, north[0] as Home);
    expect(renewal.verified).to.equal(true);
    expect(renewal.report.seedLeaves.map(({ first }) => first)).to.deep.equal([1436, 1437]);
  });

  it("are metered in quarters of an hour too", async () => {
    const quarters = paramsOf({ periodSeconds: 900, billBytes: 196_608 });
    const homes = await Promise.all([0, 1, 2, 3, 4].map((i) => homeOf(`quarter ${i}`, 1, at(2878), at(2882))));
    const town = await run(homes, at(2878), 4, quarters);
    const { verified, report, entry } = await bill(town, homes[0] as Home);
    expect(verified).to.equal(true);
    expect(report.periodSeconds).to.equal(900);
    expect((await town.content.get(entry.cid)).length).to.equal(196_608);
  });

  it("join a region that had nothing to prepare", async () => {
    const town = new Town({ homes: [], params, start: NOON });
    await town.setUp();
    await town.settle();
    expect(await town.view.regions()).to.deep.equal([]);
    for (const i of [0, 1, 2, 3, 4]) {
      const { enrolment, monthKey } = await homeOf(`new ${i}`, 3, at(1436), at(1438));
      await town.kgcbp?.enrol(enrolment, monthKey);
    }
    await town.settle();
    expect(await town.view.regions()).to.deep.equal([3]);
    expect((await town.view.epoch(3, 1n))?.meters).to.equal(5);
  });
});

describe("the register and its keys", () => {
  it("take the same enrolment again and refuse another one from the same period", async () => {
    const keys = await keysOf(new Uint8Array(32));
    const register = await Register.open(keys);
    const { enrolment, monthKey } = await homeOf("home", 1, at(0), undefined);
    await register.enrol(enrolment, monthKey);
    await register.enrol(enrolment, monthKey);
    expect(register.membersAt(1, at(0))).to.deep.equal([enrolment]);
    let code = "";
    try {
      await register.enrol({ ...enrolment, region: 2 }, monthKey);
    } catch (error) {
      if (isVeilgridError(error)) ({ code } = error);
    }
    expect(code).to.equal("already-enrolled");
    expect(await keys.enrolments()).to.deep.equal([enrolment]);
  });

  it("ratchet month keys forward, keep them, and know none before the first", async () => {
    const store = new MemoryStore();
    const shelf = new MemoryShelf();
    const keys = await keysOf(new Uint8Array(32), store, shelf);
    const { enrolment, monthKey } = await homeOf("home", 1, at(0), undefined);
    await keys.enrol(enrolment, monthKey);
    const may = await keys.monthKey(enrolment, MARCH + 2);
    expect(await store.range("key/")).to.have.lengthOf(3);
    const again = await keysOf(new Uint8Array(32), store, shelf);
    expect(await again.monthKey(enrolment, MARCH + 2)).to.deep.equal(may);
    let code = "";
    try {
      await keys.monthKey(enrolment, MARCH - 1);
    } catch (error) {
      if (isVeilgridError(error)) ({ code } = error);
    }
    expect(code).to.equal("key-missing");
  });
});
