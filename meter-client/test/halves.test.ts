import { READING_BYTES, concat, pridOf, readingCodec, unmask, verifyBody, type Reading } from "@veilgrid/protocol";
import { expect } from "chai";
import fc from "fast-check";
import { makeReadings } from "../src/halves.js";
import { MonthKeys } from "../src/monthkeys.js";
import { CONSORTIUM } from "./world.js";

const period = { month: 24314, k: 1344 };
const place = { consortium: CONSORTIUM, region: 3 };
const leaves = new MonthKeys(CONSORTIUM, { month: period.month, key: new Uint8Array(32).fill(5) }).leavesAt(period);

const readingOf = (signed: Uint8Array): Reading => readingCodec.decode(signed.subarray(0, READING_BYTES));

describe("halves of a reading", () => {
  it("are two signed readings under the period's one-time keys", () => {
    const halves = makeReadings(leaves, place, period, 250n);
    const prids = [pridOf(leaves.t), pridOf(leaves.t2)];
    halves.forEach((signed, i) => {
      const reading = readingOf(signed);
      expect(signed.length).to.equal(113);
      expect({ region: reading.region, period: reading.period }).to.deep.equal({ region: 3, period });
      expect(reading.prid).to.deep.equal(prids[i]);
      const [body, sig] = [signed.subarray(0, READING_BYTES), signed.subarray(READING_BYTES)];
      expect(verifyBody("reading", CONSORTIUM, body, sig, reading.prid)).to.equal(true);
      expect(verifyBody("reading", new Uint8Array(32), body, sig, reading.prid)).to.equal(false);
    });
  });

  it("carry any consumption, an exporting home's too", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -200_000n, max: 200_000n }), (consumption) => {
        const [one, other] = makeReadings(leaves, place, period, consumption).map(readingOf) as [Reading, Reading];
        expect(unmask(one.rc, other.rc, leaves.z, leaves.z2)).to.equal(consumption);
      }),
      { numRuns: 20 },
    );
  });

  it("are the same bytes whenever they are made again", () => {
    expect(concat(...makeReadings(leaves, place, period, -7n))).to.deep.equal(
      concat(...makeReadings(leaves, place, period, -7n)),
    );
  });
});
