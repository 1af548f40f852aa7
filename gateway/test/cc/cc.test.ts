import { BASIS, MASK_STATUS, monthCloses, window, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import type { PricePolicy } from "../../src/input/policy.js";
import { paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const at = (k: number): Period => ({ month: MARCH, k });
const NOON = Date.UTC(2026, 2, 30, 12);
const FIRST = at(1436);

/** Says back what it was told: the price is the sum, or -1 where nothing was released. */
class Echo implements PricePolicy {
  price(_region: number, _period: Period, consumptionWh: bigint | undefined): bigint {
    return consumptionWh ?? -1n;
  }

  covers(): void {
    // Every period has one.
  }

  describe(): string {
    return "the consumption";
  }
}

const consumption: Consumption = ({ enrolment }, { k }) =>
  BigInt((enrolment.bid[1] as number) * (k % 2 === 0 ? 1 : -1));

async function town(change: Parameters<typeof paramsOf>[0], periods = 2): Promise<Town> {
  const to = { ...FIRST, k: FIRST.k + periods };
  const homes = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => homeOf(`home ${i}`, 1, FIRST, to)));
  const made = new Town({ homes, params: paramsOf(change), start: NOON, policy: new Echo() });
  await made.setUp();
  await made.settle();
  return made;
}

function sumOf({ homes }: Town, k: number, from = 0): bigint {
  return homes.slice(from).reduce((sum, home) => sum + (consumption(home, at(k)) as bigint), 0n);
}

const without =
  (count: number): Consumption =>
  (home, period) =>
    Number(home.enrolment.meter.slice(-1)) < count ? undefined : consumption(home, period);

async function verdicts({ homes, view, content }: Town): Promise<boolean[]> {
  const month = await CommittedMonth.open(MARCH, { view });
  const all: boolean[] = [];
  for (const { enrolment, identity } of homes) {
    all.push((await new Customer({ bid: enrolment.bid, identity }, { content }).verify(month)).verified);
  }
  return all;
}

describe("control center", function () {
  this.timeout(60_000);

  it("prices the released sum, negative ones too", async () => {
    const here = await town({});
    await here.periods(FIRST, 2, consumption);
    for (const k of [1436, 1437]) {
      expect(await here.view.price(1, at(k))).to.deep.include({
        basis: BASIS.measured,
        consumption: sumOf(here, k),
        price: sumOf(here, k),
      });
    }
    expect(sumOf(here, 1437) < 0n).to.equal(true);
  });

  it("gives the fallback where nothing is released an hour after the window, once for all", async () => {
    const here = await town({});
    here.stopKgcbp();
    await here.runTo(here.startOf(at(1437)));
    await here.readings(1, FIRST, await here.leavesOf(1, FIRST, consumption));
    const late = window(FIRST, here.committee.params).closes + 3_600_000;
    await here.runTo(late - 1_000);
    expect(await here.view.price(1, FIRST)).to.equal(undefined);
    await here.runTo(late + 20_000, 10_000);
    const price = await here.view.price(1, FIRST);
    expect(price).to.deep.include({ basis: BASIS.lateRelease, consumption: 0n, price: -1n });
    // The release that comes now opens the sum for statistics, never a new price.
    await here.startKgcbp();
    await here.settle();
    expect((await here.view.mask(1, FIRST))?.status).to.equal(MASK_STATUS.released);
    expect(await here.view.price(1, FIRST)).to.deep.equal(price);
    expect(here.committee.pending.size).to.equal(0);
  });

  it("takes the measured price where the release gets in before the late one", async () => {
    const here = await town({});
    here.stopKgcbp();
    await here.runTo(here.startOf(at(1437)));
    await here.readings(1, FIRST, await here.leavesOf(1, FIRST, consumption));
    const late = window(FIRST, here.committee.params).closes + 3_600_000;
    // The late price is sent, and nobody commits it.
    await here.clock.run(late + 1_000);
    expect(here.committee.pending.size).to.equal(1);
    await here.startKgcbp();
    await here.clock.run(here.clock.now() + 100);
    const [stale] = here.committee.pending.keys();
    here.committee.pending.delete(stale as string);
    await here.settle();
    expect(await here.view.price(1, FIRST)).to.deep.include({ basis: BASIS.measured, consumption: sumOf(here, 1436) });
  });

  it("prices after a restart what was committed before it", async () => {
    const here = await town({});
    here.stopCc();
    await here.periods(FIRST, 2, consumption);
    expect(await here.view.price(1, FIRST)).to.equal(undefined);
    await here.startCc();
    await here.settle();
    expect(await here.view.price(1, FIRST)).to.deep.include({ basis: BASIS.measured, price: sumOf(here, 1436) });
    expect(await here.view.price(1, at(1437))).to.deep.include({ basis: BASIS.measured, price: sumOf(here, 1437) });
  });

  for (const completeness of ["set", "sum"] as const) {
    it(`upfront (completeness ${completeness}): measures without a mask, and waits for the correction of a fault`, async () => {
      const params = { release: "upfront", completeness } as const;
      const here = await town(params, 3);
      await here.periods(FIRST, 1, consumption);
      expect(await here.view.mask(1, FIRST)).to.equal(undefined);
      expect(await here.view.price(1, FIRST)).to.deep.include({
        basis: BASIS.measured,
        consumption: sumOf(here, 1436),
      });
      await here.periods(at(1437), 1, without(1));
      expect(await here.view.mask(1, at(1437))).to.deep.include({ status: MASK_STATUS.released });
      expect(await here.view.price(1, at(1437))).to.deep.include({
        basis: BASIS.measured,
        consumption: sumOf(here, 1437, 1),
      });
      // Too few are left: no correction, so the price falls back an hour later.
      await here.periods(at(1438), 1, without(2));
      expect(await here.view.mask(1, at(1438))).to.equal(undefined);
      expect(await here.view.price(1, at(1438))).to.equal(undefined);
      const late = window(at(1438), here.committee.params).closes + 3_600_000;
      await here.runTo(late + 60_000);
      expect(await here.view.price(1, at(1438))).to.deep.include({ basis: BASIS.lateRelease, price: -1n });
      await here.runTo(monthCloses(MARCH, here.committee.params) + 60_000, 7_200_000);
      expect(await verdicts(here)).to.deep.equal(Array(6).fill(true));
    });
  }
});
