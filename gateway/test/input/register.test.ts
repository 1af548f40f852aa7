import { expect } from "chai";
import fc from "fast-check";
import { Column } from "../../src/input/column.js";
import { Register } from "../../src/input/register.js";

const MICRO = 1_000_000;

describe("a register", () => {
  it("carries the fraction of a watt-hour over", () => {
    const register = new Register();
    expect([0.4, 0.4, 0.4].map((wh) => register.add(wh * MICRO))).to.deep.equal([0, 0, 1]);
  });

  it("floors towards minus infinity", () => {
    const register = new Register();
    expect([-0.5, -0.5, 0.25, 0.75].map((wh) => register.add(wh * MICRO))).to.deep.equal([-1, 0, 0, 1]);
  });

  it("moves in all by the floor of what went through it", () => {
    const micro = fc.integer({ min: -2_000_000_000 * MICRO, max: 2_000_000_000 * MICRO });
    fc.assert(
      fc.property(fc.array(micro, { maxLength: 50 }), (steps) => {
        const register = new Register();
        const moved = steps.reduce((sum, step) => sum + BigInt(register.add(step)), 0n);
        const sum = steps.reduce((all, step) => all + BigInt(step), 0n);
        const floor = sum / 1_000_000n - (sum % 1_000_000n < 0n ? 1n : 0n);
        expect(moved).to.equal(floor);
      }),
    );
  });
});

describe("a column", () => {
  it("gives back what was set, in any order, and tells a blank from nothing", () => {
    const slot = fc.integer({ min: 700_000, max: 702_000 });
    const entry = fc.oneof(fc.constant("blank" as const), fc.integer({ min: -2e15, max: 2e15 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(slot, entry), { maxLength: 60 }), slot, (sets, other) => {
        const column = new Column();
        const expected = new Map(sets);
        for (const [at, value] of sets) column.set(at, value);
        for (const [at, value] of expected) expect(column.get(at)).to.equal(value);
        if (!expected.has(other)) expect(column.get(other)).to.equal("absent");
      }),
    );
  });
});
