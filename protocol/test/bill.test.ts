import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { computeBill, isVeilgridError, parseTariff, tierCost, type Bill, type BillInput } from "../src/index.js";
import { anyTariff } from "./billing.js";

interface Input {
  readonly prices: readonly number[];
  readonly consumption: readonly (readonly number[])[];
  readonly tariff: unknown;
}

const input = JSON.parse(readFileSync(new URL("../../vectors/input.json", import.meta.url), "utf8")) as Input;

function lines({ lines: all }: Bill): [string, bigint, bigint][] {
  return all.map(({ name, nano, shown }) => [name, nano, shown]);
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((all, value) => all + value, 0n);
}

/** A bill of half-hours at one price. */
function flat(tariff: unknown, readings: readonly (bigint | undefined)[], more: Partial<BillInput> = {}): Bill {
  const prices = readings.map(() => 1000n);
  return computeBill({ tariff: parseTariff(tariff), periodSeconds: 1800, readings, prices, ...more });
}

const anyInput: fc.Arbitrary<BillInput> = fc
  .record({
    tariff: anyTariff,
    periodSeconds: fc.constantFrom(900, 1800),
    periods: fc.array(
      fc.record({
        reading: fc.option(fc.bigInt({ min: -200_000n, max: 200_000n }), { nil: undefined, freq: 3 }),
        price: fc.option(fc.bigInt({ min: -(10n ** 7n), max: 10n ** 7n }), { nil: undefined, freq: 20 }),
      }),
      { minLength: 1, maxLength: 300 },
    ),
    deltas: fc.array(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), { maxLength: 2 }),
  })
  .map(({ periods, ...rest }) => ({
    ...rest,
    prices: periods.map(({ price }) => price),
    readings: periods.map(({ price, reading }) => (price === undefined ? undefined : reading)),
  }));

describe("bill", () => {
  it("is what the vectors' first meter pays, computed by hand: tiers walked back by export, two taxes", () => {
    const bill = computeBill({
      tariff: parseTariff(input.tariff),
      periodSeconds: 1800,
      readings: input.consumption.map((period) => BigInt(period[0] as number)),
      prices: input.prices.map(BigInt),
    });
    expect(bill.consumption).to.deep.equal([500n, 0n, -1250n]);
    expect(bill.costs).to.deep.equal([122650000n, 0n, 50125000n]);
    expect(bill.tierCosts).to.deep.equal([115000000n, 0n, -272500000n]);
    expect(lines(bill)).to.deep.equal([
      ["energy", 172775000n, 17n],
      ["tiers", -157500000n, -16n],
      ["fixed/0", 123456789n, 13n],
      ["tax/0", 26359040n, 3n],
      ["tax/1", 2844002n, 0n],
    ]);
    expect(bill.total).to.equal(17n);
    expect(bill.energy).to.equal(-750n);
  });

  it("is what the vectors' fourth meter pays, computed by hand: a period missing", () => {
    const bill = computeBill({
      tariff: parseTariff(input.tariff),
      periodSeconds: 1800,
      readings: [undefined, 50000n, 12n],
      prices: input.prices.map(BigInt),
    });
    expect(bill.quality).to.deep.equal(["missing", "measured", "measured"]);
    expect(bill.costs).to.deep.equal([0n, 12585000000n, -481200n]);
    expect(bill.tierCosts).to.deep.equal([0n, 16905000000n, 4080000n]);
    expect(lines(bill)).to.deep.equal([
      ["energy", 12584518800n, 1258n],
      ["tiers", 16909080000n, 1691n],
      ["fixed/0", 123456789n, 12n],
      ["tax/0", 5627240562n, 563n],
      ["tax/1", 607149640n, 61n],
    ]);
    expect(bill.total).to.equal(3585n);
  });

  it("has the energy line alone in the default tariff", () => {
    const bill = flat({ minorDigits: 2 }, [15000n, undefined]);
    expect(lines(bill)).to.deep.equal([["energy", 15000000n, 2n]]);
    expect(bill.tierCosts).to.be.undefined;
    expect(bill.total).to.equal(2n);
  });

  it("puts its lines in the protocol's order, taxes on the untaxed ones, deltas untaxed", () => {
    const tariff = {
      minorDigits: 0,
      tiers: [[null, 0]],
      fixed: ["10000000000", "-1000000000"],
      taxes: [500000, 0],
      adjustment: { thresholdWh: 100, below: "-2000000000", above: "3000000000" },
    };
    const bill = flat(tariff, [1000n], { prices: [1000000n], deltas: [4000000000n, -6000000000n] });
    expect(lines(bill)).to.deep.equal([
      ["energy", 1000000000n, 1n],
      ["tiers", 0n, 0n],
      ["fixed/0", 10000000000n, 10n],
      ["fixed/1", -1000000000n, -1n],
      ["adjustment", 3000000000n, 3n],
      ["tax/0", 6500000000n, 7n],
      ["tax/1", 0n, 0n],
      ["delta/0", 4000000000n, 4n],
      ["delta/1", -6000000000n, -6n],
    ]);
    expect(bill.total).to.equal(18n);
  });

  it("adjusts on either side of the threshold, and by nothing on it", () => {
    const tariff = { minorDigits: 9, adjustment: { thresholdWh: 100, below: -7, above: 5 } };
    const adjustment = (wh: bigint): bigint | undefined => flat(tariff, [wh]).lines[1]?.nano;
    expect([99n, 100n, 101n].map(adjustment)).to.deep.equal([-7n, 0n, 5n]);
  });

  it("rounds a tax to a nano-unit, half away from zero", () => {
    const tax = (fixed: number): bigint | undefined =>
      flat({ minorDigits: 2, fixed: [fixed], taxes: [500000] }, [0n]).lines[2]?.nano;
    expect([1, 3, -1, -3, 4].map(tax)).to.deep.equal([1n, 2n, -1n, -2n, 2n]);
  });

  it("estimates from the same time of the nearest earlier day that has a value", () => {
    const days = 4;
    const readings: (bigint | undefined)[] = Array.from({ length: 48 * days }, (_, i) => BigInt(i));
    const prices: (bigint | undefined)[] = readings.map(() => 1n);
    readings[5] = undefined; // no earlier day: missing
    readings[48 + 7] = undefined; // from day 0
    readings[96 + 7] = undefined; // day 1 was estimated from day 0: the same value
    readings[96 + 5] = undefined; // from day 1, day 0 had none
    readings[48 + 9] = undefined;
    prices[48 + 9] = undefined; // no epoch
    readings[96 + 9] = undefined; // skips the day without an epoch
    const bill = computeBill({
      tariff: parseTariff({ minorDigits: 2, missingRule: "last-day" }),
      periodSeconds: 1800,
      readings,
      prices,
    });
    const at = (i: number): [bigint | undefined, string | undefined] => [bill.consumption[i], bill.quality[i]];
    expect(at(5)).to.deep.equal([0n, "missing"]);
    expect(at(48 + 7)).to.deep.equal([7n, "estimated"]);
    expect(at(96 + 7)).to.deep.equal([7n, "estimated"]);
    expect(at(96 + 5)).to.deep.equal([53n, "estimated"]);
    expect(at(48 + 9)).to.deep.equal([0n, "no-epoch"]);
    expect(at(96 + 9)).to.deep.equal([9n, "estimated"]);
    expect(at(144 + 7)).to.deep.equal([151n, "measured"]);
  });

  it("looks a whole day back with quarter-hours too", () => {
    const readings: (bigint | undefined)[] = Array.from({ length: 97 }, (_, i) => BigInt(i + 1));
    readings[96] = undefined;
    const bill = flat({ minorDigits: 2, missingRule: "last-day" }, readings, { periodSeconds: 900 });
    expect([bill.consumption[96], bill.quality[96]]).to.deep.equal([1n, "estimated"]);
  });

  it("estimates from the tariff's daily profile, scaled to what was measured", () => {
    const weights = Array.from({ length: 48 }, (_, i) => (i === 5 ? 0 : 10 + i));
    const profile = parseTariff({ minorDigits: 2, missingRule: "profile", profile: weights });
    const readings: (bigint | undefined)[] = Array.from({ length: 48 }, () => undefined);
    const prices: (bigint | undefined)[] = readings.map(() => 1n);
    // From k = 40 of a day on: entry 0 has the weight 50, entry 13 is the next day's k = 5.
    readings[0] = 101n;
    readings[8] = 4n;
    prices[9] = undefined;
    const bill = computeBill({ tariff: profile, periodSeconds: 1800, from: 40, readings, prices });
    const at = (i: number): [bigint | undefined, string | undefined] => [bill.consumption[i], bill.quality[i]];
    expect(at(0)).to.deep.equal([101n, "measured"]);
    // 105 Wh over the weights 50 and 10: 51 x 105 / 60 = 89.25, 57 x 105 / 60 = 99.75.
    expect(at(1)).to.deep.equal([89n, "estimated"]);
    expect(at(7)).to.deep.equal([100n, "estimated"]);
    expect(at(9)).to.deep.equal([0n, "no-epoch"]);
    // 12 x 105 / 60 = 21; 14 x 105 / 60 = 24.5, a half away from zero.
    expect(at(10)).to.deep.equal([21n, "estimated"]);
    expect(at(12)).to.deep.equal([25n, "estimated"]);
    expect(at(13)).to.deep.equal([0n, "estimated"]);
  });

  it("leaves missing what a profile tells nothing of", () => {
    const rule = (weights: readonly number[]): unknown => ({
      minorDigits: 2,
      missingRule: "profile",
      profile: weights,
    });
    const of = (weights: readonly number[], readings: readonly (bigint | undefined)[]): [bigint, string][] => {
      const { consumption, quality } = flat(rule(weights), readings);
      return readings.map((_, i) => [consumption[i] as bigint, quality[i] as string]);
    };
    const only = (k: number, weight: number): number[] => Array.from({ length: 48 }, (_, i) => (i === k ? weight : 1));
    // Nothing measured; measured where nothing is expected; beyond what a period can have.
    expect(of(only(0, 1), [undefined])).to.deep.equal([[0n, "missing"]]);
    expect(of(only(0, 0), [7n, undefined])[1]).to.deep.equal([0n, "missing"]);
    expect(of(only(1, 1_000_000), [4295n, undefined, undefined])).to.deep.equal([
      [4295n, "measured"],
      [0n, "missing"],
      [4295n, "estimated"],
    ]);
    expect(of(only(1, 3), [-5n, undefined])[1]).to.deep.equal([-15n, "estimated"]);
    expect(() => flat(rule(only(0, 1)), [1n], { periodSeconds: 900 }))
      .to.throw("a day has 96 periods")
      .with.property("code", "bad-tariff");
  });

  it("adds up: lines to the total, columns to their lines, tiers to F, taxes on the rest", () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { tariff, prices, deltas = [] } = given;
        const bill = computeBill(given);
        const nano = (prefix: string): bigint[] =>
          bill.lines.filter(({ name }) => name.split("/")[0] === prefix).map((line) => line.nano);
        expect(sum(bill.lines.map(({ shown }) => shown))).to.equal(bill.total);
        bill.consumption.forEach((c, i) => expect(bill.costs[i]).to.equal(c * (prices[i] ?? 0n)));
        expect(nano("energy")).to.deep.equal([sum(bill.costs)]);
        const after = tariff.tiers && tierCost(tariff.tiers, bill.energy);
        expect(bill.tierCosts && sum(bill.tierCosts)).to.equal(after);
        expect(nano("tiers")).to.deep.equal(after === undefined ? [] : [after]);
        expect(nano("fixed")).to.deep.equal(tariff.fixed);
        expect(nano("delta")).to.deep.equal(deltas);
        const untaxed = sum(["energy", "tiers", "fixed", "adjustment"].flatMap(nano));
        nano("tax").forEach((tax, i) => {
          const off = 1_000_000n * tax - untaxed * (tariff.taxes[i] as bigint);
          expect(off <= 500_000n && off >= -500_000n).to.be.true;
        });
      }),
    );
  });

  it("counts a reading as it is, and marks every period without one", () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const bill = computeBill(given);
        given.readings.forEach((reading, i) => {
          const quality = bill.quality[i];
          if (reading !== undefined) expect([bill.consumption[i], quality]).to.deep.equal([reading, "measured"]);
          else if (given.prices[i] === undefined)
            expect([bill.consumption[i], quality]).to.deep.equal([0n, "no-epoch"]);
          else if (quality !== "estimated") expect([bill.consumption[i], quality]).to.deep.equal([0n, "missing"]);
          else expect(given.tariff.missingRule).not.to.equal("zero");
        });
      }),
    );
  });

  it("costs nothing in tiers what is exported again", () => {
    fc.assert(
      fc.property(
        anyTariff,
        fc.array(fc.bigInt({ min: -50_000n, max: 50_000n }), { maxLength: 20 }),
        (tariff, there) => {
          const readings = [...there, ...there.map((wh) => -wh).reverse()];
          const bill = computeBill({ tariff, periodSeconds: 1800, readings, prices: readings.map(() => 3n) });
          expect(bill.costs.reduce((all, cost) => all + cost, 0n)).to.equal(0n);
          expect(sum(bill.tierCosts ?? [])).to.equal(0n);
          // The way back costs, period by period, what the way there brought.
          const back = [...(bill.tierCosts ?? [])].reverse();
          (bill.tierCosts ?? []).forEach((cost, i) => expect(cost).to.equal(-(back[i] as bigint)));
        },
      ),
    );
  });

  it("refuses columns of different periods, and a reading without a price", () => {
    const tariff = parseTariff({ minorDigits: 2 });
    const bad: BillInput[] = [
      { tariff, periodSeconds: 1800, readings: [1n], prices: [] },
      { tariff, periodSeconds: 1800, readings: [1n], prices: [undefined] },
    ];
    for (const given of bad) {
      expect(() => computeBill(given))
        .to.throw()
        .that.satisfies((e: unknown) => isVeilgridError(e, "bad-bill-input"));
    }
  });
});
