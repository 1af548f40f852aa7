import {
  BASIS,
  decodeLeaf,
  epochCodec,
  monthCloses,
  toHex,
  type BillRecord,
  type MaskRecord,
  type Period,
  type Price,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import { MemoryStore } from "../../src/store/memory.js";
import { paramsOf } from "../support/committee.js";
import { homeOf, type Home } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
/** The last two periods of 30 March. */
const FIRST: Period = { month: MARCH, k: 1438 };
/** 02:00 on 31 March. */
const END: Period = { month: MARCH, k: 1444 };
const PERIODS = 6;
const params = paramsOf();

function homes(count = 6): Promise<Home[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => homeOf(`home ${i}`, 1, FIRST, END)));
}

const consumption: Consumption = ({ enrolment }, { k }) => BigInt((enrolment.bid[1] as number) + k);

/** What of the ledger must not depend on who crashed when. */
async function outcome(town: Town): Promise<unknown> {
  const periods: (MaskRecord | Price | undefined)[] = [];
  for (let { k } = FIRST; k < END.k; k += 1) {
    periods.push(await town.view.mask(1, { month: MARCH, k }), await town.view.price(1, { month: MARCH, k }));
  }
  const bills: (BillRecord | undefined)[] = [];
  for (const { enrolment } of town.homes) bills.push(await town.view.bill(enrolment.bid, MARCH));
  return { periods: periods.map((one) => one && { ...one, number: 0n, index: 0, cbh: "" }), bills };
}

async function verified(town: Town): Promise<boolean[]> {
  const month = await CommittedMonth.open(MARCH, { view: town.view });
  const verdicts: boolean[] = [];
  for (const { enrolment, identity } of town.homes) {
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
    verdicts.push((await customer.verify(month)).verified);
  }
  return verdicts;
}

/** The month's readings and its bills; `between` is called after each period. */
async function run(town: Town, between: (i: number) => Promise<void> = () => Promise.resolve()): Promise<void> {
  await town.setUp();
  await town.settle();
  for (let i = 0; i < PERIODS; i += 1) {
    await town.periods({ ...FIRST, k: FIRST.k + i }, 1, (home, period) =>
      home === town.homes[0] && period.k === 1441 ? undefined : consumption(home, period),
    );
    await between(i);
  }
  await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
}

describe("KGCBP after a crash", function () {
  this.timeout(60_000);
  let undisturbed: unknown;

  before(async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await run(town);
    undisturbed = await outcome(town);
    expect(await verified(town)).to.deep.equal(Array(6).fill(true));
  });

  it("goes on from its store after any period", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await run(town, async () => {
      town.stopKgcbp();
      town.stopCc();
      await town.startKgcbp();
      await town.startCc();
    });
    expect(await outcome(town)).to.deep.equal(undisturbed);
  });

  it("releases and prices later what was committed while it was away", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await run(town, async (i) => {
      if (i === 2) {
        town.stopKgcbp();
        town.stopCc();
      }
      if (i === 3) {
        await town.startKgcbp();
        await town.startCc();
        await town.settle();
      }
    });
    expect(await outcome(town)).to.deep.equal(undisturbed);
    expect(await verified(town)).to.deep.equal(Array(6).fill(true));
  });

  it("needs no more than its register and keys: the rest follows from the ledger", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await run(town, async (i) => {
      if (i !== 3) return;
      town.stopKgcbp();
      const backup = new MemoryStore();
      for (const prefix of ["enrolment/", "key/"]) {
        await backup.write((await town.store.range(prefix)).map(({ key, value }) => ({ key, value })));
      }
      await town.startKgcbp(backup);
    });
    expect(await outcome(town)).to.deep.equal(undisturbed);
    expect(await verified(town)).to.deep.equal(Array(6).fill(true));
  });

  it("refuses a register that does not give the epochs on the ledger", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await town.setUp();
    await town.settle();
    await town.periods(FIRST, 1, consumption);
    town.stopKgcbp();
    const backup = new MemoryStore();
    // One meter is not in the backup.
    const enrolments = await town.store.range("enrolment/");
    const rest = [...enrolments.slice(1), ...(await town.store.range("key/"))];
    await backup.write(rest.map(({ key, value }) => ({ key, value })));
    let code = "";
    try {
      await town.startKgcbp(backup);
    } catch (error) {
      ({ code } = error as { code: string });
    }
    expect(code).to.equal("epoch-unknown");
  });

  it("signs the bills that it has made, once, whatever happens before they are committed", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await run(town, async (i) => {
      if (i < PERIODS - 1) return;
      // The month closes, the bills are sent, and nobody commits them.
      await town.clock.run(monthCloses(MARCH, params) + 1_000);
      const [leaf] = [...town.committee.pending.values()].map((one) => toHex(one.leaf));
      town.stopKgcbp();
      town.committee.pending.clear();
      await town.startKgcbp();
      await town.clock.run(town.clock.now() + 1_000);
      expect([...town.committee.pending.values()].map((one) => toHex(one.leaf))).to.deep.equal([leaf]);
    });
    expect(await outcome(town)).to.deep.equal(undisturbed);
  });
});

describe("an epoch that missed its time", function () {
  this.timeout(60_000);

  it("is sent again with the identical entries of the periods still ahead", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await town.setUp();
    await town.clock.run(NOON + 1_000);
    const [whole] = [...town.committee.pending.values()];
    const codec = epochCodec(params);
    const before = codec.decode(decodeLeaf(whole?.leaf ?? new Uint8Array()).body);
    expect(before).to.deep.include({ first: FIRST, periods: 2, meters: 6, leaves: 6 });
    // Nobody commits anything until its first period is over by more than the clocks' skew.
    await town.clock.run(town.startOf({ month: MARCH, k: 1439 }) + 31_000);
    town.committee.pending.delete(toHex(whole?.leaf ?? new Uint8Array()));
    const [tail] = [...town.committee.pending.values()];
    const after = codec.decode(decodeLeaf(tail?.leaf ?? new Uint8Array()).body);
    expect(after).to.deep.include({ first: { month: MARCH, k: 1439 }, periods: 1, meters: 6, leaves: 6 });
    expect(after.entries).to.deep.equal(before.entries.slice(1));
    // Its leaves name another first period, so its root is another.
    expect(toHex(after.seedRoot)).to.not.equal(toHex(before.seedRoot));
    await town.settle();
    await town.periods({ month: MARCH, k: 1439 }, 5, consumption);
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
    expect(await verified(town)).to.deep.equal(Array(6).fill(true));
  });

  it("leaves periods without an epoch, which are on the bill as such, and priced for later", async () => {
    const town = new Town({ homes: await homes(), params, start: NOON });
    await town.setUp();
    await town.clock.run(NOON + 1_000);
    await town.committee.commitPending(town.clock.now());
    // KGCBP is away from now on, and comes back in the second period of the next day.
    town.stopKgcbp();
    await town.clock.run(town.startOf({ month: MARCH, k: 1440 }));
    await town.committee.commitReadings(1, FIRST, await town.leavesOf(1, FIRST, consumption), town.clock.now());
    await town.clock.run(town.startOf({ month: MARCH, k: 1441 }) + 60_000);
    await town.startKgcbp();
    await town.settle();
    expect((await town.view.epochs(1, MARCH)).map(({ k, periods }) => [k, periods])).to.deep.equal([
      [1438, 2],
      [1441, 3],
    ]);
    await town.periods({ month: MARCH, k: 1439 }, 1, consumption);
    await town.periods({ month: MARCH, k: 1441 }, 3, consumption);
    const price = await town.view.price(1, { month: MARCH, k: 1440 });
    expect(price).to.deep.include({ basis: BASIS.noEpoch, consumption: 0n, price: 250_000n });
    await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
    expect(await verified(town)).to.deep.equal(Array(6).fill(true));
    const [home] = town.homes;
    const month = await CommittedMonth.open(MARCH, { view: town.view });
    const { enrolment, identity } = home as Home;
    const { report } = await new Customer({ bid: enrolment.bid, identity }, town).verify(month);
    expect(report.columns.quality).to.deep.equal([0, 0, 3, 0, 0, 0]);
    expect(report.columns.priceMicro).to.deep.equal(["250000", "250000", null, "250000", "250000", "250000"]);
    expect(report.feedback.missing).to.equal(1);
  });
});
