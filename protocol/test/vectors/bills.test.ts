import { expect } from "chai";
import { readInput } from "../../vectors/input.js";
import { VECTORS } from "./committed.js";

const INPUT = readInput();

/** The tariff of the input, written out. */
const TIERS = [
  { upTo: 300, price: 210_000 },
  { upTo: 1000, price: 260_000 },
  { upTo: Infinity, price: 340_000 },
];
const FIXED = 123_456_789;
const TAXES = [190_000, 20_500];
const CENT = 10_000_000;

/** What cumulative Wh cost, one Wh after the other. */
function costOf(wh: number): number {
  if (wh < 0) return wh * 210_000;
  let cost = 0;
  for (let i = 0; i < wh; i += 1) cost += TIERS.find(({ upTo }) => i < upTo)?.price ?? 0;
  return cost;
}

/** The nearest integer, a half away from zero. */
function nearest(numerator: number, denominator: number): number {
  const magnitude = Math.abs(numerator);
  const whole = (magnitude - (magnitude % denominator)) / denominator;
  const rounded = 2 * (magnitude % denominator) >= denominator ? whole + 1 : whole;
  return numerator < 0 ? 0 - rounded : rounded;
}

function missing(meter: number, k: number): boolean {
  const event = INPUT.events.some((one) => one.meter === meter && one.period === k);
  return event || Math.abs(INPUT.consumption[k]?.[meter] ?? NaN) > 50_000;
}

/** What a bill costs before it is rounded. */
function nanoOf(wh: readonly number[]): number {
  const energy = wh.reduce((sum, c, k) => sum + c * (INPUT.prices[k] as number), 0);
  const untaxed = energy + costOf(wh.reduce((sum, c) => sum + c, 0)) + FIXED;
  return TAXES.reduce((sum, rate) => sum + nearest(untaxed * rate, 1_000_000), untaxed);
}

describe("missing periods of input.json", () => {
  for (const [meter, { consumptions, total, deltaNano }] of VECTORS.missing.entries()) {
    const readings = [0, 1, 2].map((k) => (missing(meter, k) ? null : (INPUT.consumption[k]?.[meter] as number)));

    it(`of meter ${meter} are estimated by its profile, scaled to what it measured`, () => {
      const weigh = (i: number): number => (readings[i] === null ? 0 : (INPUT.profile[i] as number));
      const weight = [0, 1, 2].reduce((sum, i) => sum + weigh(i), 0);
      const wh = readings.reduce<number>((sum, c) => sum + (c ?? 0), 0);
      const estimated = readings.map((c, i) => c ?? nearest((INPUT.profile[i] as number) * wh, weight));
      expect(consumptions).to.deep.equal(estimated);
      expect(total).to.equal(nearest(nanoOf(estimated), CENT));
    });

    it(`of meter ${meter} are settled by what brings the bill to the truth`, () => {
      const truth = readings.map((c, i) => c ?? (INPUT.consumption[i]?.[meter] as number));
      expect(deltaNano).to.equal(nanoOf(truth) - nanoOf(readings.map((c) => c ?? 0)));
    });
  }

  it("are there", () => {
    expect(VECTORS.missing.filter(({ deltaNano }) => deltaNano !== 0).length).to.be.above(3);
  });
});

describe("bills of input.json", () => {
  for (const [meter, bill] of VECTORS.bills.entries()) {
    const readings = [0, 1, 2].map((k) => (missing(meter, k) ? null : INPUT.consumption[k]?.[meter]));
    const wh = readings.map((c) => c ?? 0);

    it(`count meter ${meter} where it was complete, at each period's price`, () => {
      expect(bill.consumptions).to.deep.equal(readings);
      const costs = wh.map((c, k) => (c === 0 ? 0 : c * ([245_300, 251_700, -40_100][k] ?? NaN)));
      expect(bill.costsNano).to.deep.equal(costs);
    });

    it(`walk meter ${meter} along the tiers`, () => {
      let before = 0;
      const steps = wh.map((c) => {
        const step = costOf(before + c) - costOf(before);
        before += c;
        return step;
      });
      expect(bill.tierCostsNano).to.deep.equal(steps);
    });

    it(`add up the lines of meter ${meter} to its total`, () => {
      const add = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
      const untaxed = [add(bill.costsNano), add(bill.tierCostsNano), FIXED];
      const nanos = [...untaxed, ...TAXES.map((rate) => nearest(add(untaxed) * rate, 1_000_000))];
      expect(bill.lines.map(({ name }) => name)).to.deep.equal(["energy", "tiers", "fixed/0", "tax/0", "tax/1"]);
      expect(bill.lines.map(({ nano }) => nano)).to.deep.equal(nanos);
      expect(bill.total).to.equal(nearest(add(nanos), CENT));
      expect(add(bill.lines.map(({ shown }) => shown))).to.equal(bill.total);
      for (const { nano, shown } of bill.lines) expect(shown - Math.floor(nano / CENT)).to.be.oneOf([0, 1]);
    });
  }
});
