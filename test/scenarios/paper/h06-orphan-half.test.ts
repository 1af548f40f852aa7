import { expect } from "chai";
import { deriveSeeds, leaf, MASK_STATUS, ratchet, type Period, type Reading } from "@veilgrid/protocol";
import { makeReadings } from "@veilgrid/meter-client";
import { SeededRandom, type Run, type World } from "@veilgrid/gateway";
import { paperReading, paperRegionSum, type PaperReading } from "../../src/paper/region-sum.js";
import { inSmallWorld, periodOf, withhold } from "../../src/paper/small-world.js";
import { MeterCsv } from "../../src/world/meter-csv.js";

/*
 * The paper (section 5, Finding faulty meters g): for a meter that did not send, Z' leaves out both of its masks. It has no
 * rule for a meter of which one half came, nor for one whose masks are others than KGCBP's.
 * Ours (PROTOCOL section 4, Mask release): the release names every PRID in the block whose meter is not complete, and Z is
 * for what remains.
 */

/** Nine real homes, one half-hour. */
const HOMES = MeterCsv.sgsc(9, 1, "2013-04-08T08:00Z");
/** Of this one a half is lost; that one's key is of the next month. */
const [ORPHAN, STALE] = [2, 5];

const random = SeededRandom.of("orphan");
/** A whole number of the paper's range, [-2^31, 2^31]. */
const drawn = (what: string, meter: number): bigint => BigInt(random.below(2 ** 32 + 1, what, meter)) - (1n << 31n);

/** The two readings that a household's meter would send under another month's key than KGCBP's. */
async function staleReadings(world: World, { keys }: Run, household: number, at: Period): Promise<Uint8Array[]> {
  const consortium = await world.view.consortium();
  const key = keys.homes[household]?.monthKey as Uint8Array;
  const seeds = deriveSeeds(key, consortium, at.month);
  const stale = deriveSeeds(ratchet(key, consortium, at.month + 1), consortium, at.month + 1);
  const [t, t2, z, z2] = [seeds.s0, seeds.s1, stale.r0, stale.r1].map((seed) => leaf(seed, at.k));
  const leaves = { t, t2, z, z2 } as Parameters<typeof makeReadings>[0];
  return [...makeReadings(leaves, { consortium, region: 1 }, at, 500n)];
}

describe("H6: an orphan half, a stale key", () => {
  it("the paper's rule gives way", () => {
    const masks = (of: string, meter: number): [bigint, bigint] => [drawn(of, meter), drawn(`${of}'`, meter)];
    const readings = Array.from({ length: 9 }, (_, i) => paperReading(500n, drawn("slice", i), masks("mask", i)));
    expect(paperRegionSum(readings)).to.equal(4_500n);
    // A meter of which nothing came is what the rule is for.
    const orphan = readings[ORPHAN] as PaperReading;
    const silent: PaperReading = { ...orphan, halves: [undefined, undefined] };
    expect(paperRegionSum(readings.with(ORPHAN, silent), [silent])).to.equal(4_000n);
    // One half turns 4 kWh into a noise of a thousand megawatt-hours, with Z and with Z'.
    const half: PaperReading = { ...orphan, halves: [orphan.halves[0], undefined] };
    expect(paperRegionSum(readings.with(ORPHAN, half))).to.equal(-958_833_842n);
    expect(paperRegionSum(readings.with(ORPHAN, half), [half])).to.equal(2_211_297_278n);
    // A stale key does the same, and no half is missing: nobody sees a fault.
    const stale = paperReading(500n, drawn("slice", STALE), masks("mask", STALE), masks("stale", STALE));
    expect(paperRegionSum(readings.with(STALE, stale))).to.equal(-670_259_043n);
  });

  it("ours holds", async () => {
    let lost: readonly Reading[] = [];
    const seen = await inSmallWorld({
      csv: HOMES,
      asked: { regions: 1 },
      watch: (world, run) => {
        const at = periodOf(run, 0);
        lost = withhold(world, ORPHAN, at, 1);
        withhold(world, STALE, at);
        world.clock.at(Date.UTC(2013, 3, 8, 8, 31), "the stale meter sends", async () => {
          for (const [half, reading] of (await staleReadings(world, run, STALE, at)).entries()) {
            world.network.transport("meter/stale").request(`da/DA${half}MSP`, "reading", reading);
          }
        });
      },
      look: async ({ view }, run) => {
        const at = periodOf(run, 0);
        return {
          mask: await view.maskBody(1, at),
          price: await view.price(1, at),
          readings: await view.readings(1, at),
        };
      },
    });
    expect(lost).to.have.length(1);
    expect(seen.readings).to.include({ count: 17, aggFault: true });
    // The orphan half and both of the stale meter's are out by name, and the sum is the other seven homes'.
    expect(seen.mask?.status).to.equal(MASK_STATUS.released);
    expect(seen.mask?.excluded).to.have.length(3);
    const others = HOMES.wattHours().filter((_, household) => household !== ORPHAN && household !== STALE);
    expect(seen.price?.consumption).to.equal(others.reduce((sum, [wh]) => sum + (wh as bigint), 0n));
  });
});
