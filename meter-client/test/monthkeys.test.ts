import { VeilgridError, deriveSeeds, leaf, ratchet } from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { MonthKeys, type PeriodLeaves } from "../src/monthkeys.js";
import { CONSORTIUM } from "./world.js";

const MARCH = 24314;
const KEY = new Uint8Array(32).fill(9);

/** The leaves of a period by the protocol's own words, from the key of its month. */
function leavesOf(monthKey: Uint8Array, month: number, k: number): PeriodLeaves {
  const { s0, s1, r0, r1 } = deriveSeeds(monthKey, CONSORTIUM, month);
  return { t: leaf(s0, k), t2: leaf(s1, k), z: leaf(r0, k), z2: leaf(r1, k) };
}

describe("month keys of a meter", () => {
  it("give each period's leaves, in whatever order they are asked", () => {
    const keys = new MonthKeys(CONSORTIUM, { month: MARCH, key: KEY });
    fc.assert(
      fc.property(fc.nat(2975), (k) => {
        expect(keys.leavesAt({ month: MARCH, k })).to.deep.equal(leavesOf(KEY, MARCH, k));
      }),
      { numRuns: 20 },
    );
  });

  it("go on to later months by the ratchet alone", () => {
    const keys = new MonthKeys(CONSORTIUM, { month: MARCH, key: KEY });
    const may = ratchet(ratchet(KEY, CONSORTIUM, MARCH + 1), CONSORTIUM, MARCH + 2);
    expect(keys.leavesAt({ month: MARCH + 2, k: 17 })).to.deep.equal(leavesOf(may, MARCH + 2, 17));
    expect(keys.oldest).to.deep.equal({ month: MARCH, key: KEY });
  });

  it("delete what is before a month and keep what is after", () => {
    const keys = new MonthKeys(CONSORTIUM, { month: MARCH, key: KEY });
    const april = ratchet(KEY, CONSORTIUM, MARCH + 1);
    keys.deleteBefore(MARCH + 1);
    expect(keys.oldest).to.deep.equal({ month: MARCH + 1, key: april });
    expect(() => keys.leavesAt({ month: MARCH, k: 0 }))
      .to.throw(VeilgridError)
      .with.property("code", "key-deleted");
    expect(keys.leavesAt({ month: MARCH + 1, k: 3 })).to.deep.equal(leavesOf(april, MARCH + 1, 3));
    keys.deleteBefore(MARCH);
    expect(keys.oldest.month).to.equal(MARCH + 1);
  });

  it("leave the key that was handed in alone", () => {
    const own = KEY.slice();
    new MonthKeys(CONSORTIUM, { month: MARCH, key: own }).deleteBefore(MARCH + 1);
    expect(own).to.deep.equal(KEY);
  });
});
