import { expect } from "chai";
import fc from "fast-check";
import { daOrder, sendDelay } from "../src/drawing.js";
import { seeded } from "./world.js";

const period = fc.record({ month: fc.constant(24314), k: fc.nat(1487) });
const draws = fc.record({ random: fc.string().map(seeded), name: fc.constantFrom("0", "1", "536") });

describe("a meter's draws", () => {
  it("order all DAs, the second half beginning at another one than the first", () => {
    fc.assert(
      fc.property(draws, period, fc.nat(5), fc.integer({ min: 2, max: 9 }), (draw, at, round, count) => {
        const orders = [daOrder(draw, at, 0, round, count), daOrder(draw, at, 1, round, count)] as const;
        const all = Array.from({ length: count }, (_, da) => da);
        for (const order of orders) expect(order.toSorted((a, b) => a - b)).to.deep.equal(all);
        expect(orders[0][0]).to.not.equal(orders[1][0]);
      }),
    );
  });

  it("have the only DA twice where there is one", () => {
    const draw = { random: seeded("x"), name: "0" };
    expect(daOrder(draw, { month: 24314, k: 0 }, 1, 0, 1)).to.deep.equal([0]);
  });

  it("begin at every DA about equally often", () => {
    const draw = { random: seeded("even"), name: "3" };
    const firsts = Array.from({ length: 1000 }, (_, k) => daOrder(draw, { month: 24314, k }, 0, 0, 4)[0]);
    for (const da of [0, 1, 2, 3]) expect(firsts.filter((first) => first === da).length, `da ${da}`).within(190, 310);
  });

  it("spread the sending over the span, each half for itself", () => {
    const draw = { random: seeded("times"), name: "3" };
    const delays = Array.from({ length: 1000 }, (_, k) =>
      ([0, 1] as const).map((half) => sendDelay(draw, { month: 24314, k }, half, 0, 600_000)),
    );
    for (const half of [0, 1]) {
      const mean = delays.reduce((sum, pair) => sum + (pair[half] as number), 0) / delays.length;
      expect(mean, `half ${half}`).to.be.within(270_000, 330_000);
    }
    // Independent and uniform: which of the two goes first is a coin's toss.
    const firstFirst = delays.filter(([a, b]) => (a as number) < (b as number)).length;
    expect(firstFirst).to.be.within(400, 600);
  });

  it("send at once where no time is left", () => {
    const draw = { random: seeded("late"), name: "3" };
    expect(sendDelay(draw, { month: 24314, k: 0 }, 0, 0, -5)).to.equal(0);
  });
});
