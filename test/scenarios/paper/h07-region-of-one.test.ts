import { expect } from "chai";
import { BASIS, MASK_STATUS, paramsCodec } from "@veilgrid/protocol";
import { startedChain } from "../../src/consortium/chain.js";
import { masksDraft } from "../../src/consortium/issued.js";
import { paramsOf } from "../../src/consortium/members.js";
import { failureOf, refused } from "../../src/consortium/refused.js";
import { paperReading, paperRegionSum } from "../../src/paper/region-sum.js";
import { inSmallWorld, periodOf, withhold } from "../../src/paper/small-world.js";
import { MeterCsv } from "../../src/world/meter-csv.js";

/*
 * The paper (section 5, Filter generation h, Dynamic pricing): the sum of a region is published for any number of meters,
 * and for any number of them that are in the block.
 * Ours (PROTOCOL section 4, Mask release): with fewer than `minReleaseMeters` complete meters (never below 5) the status is
 * *too few*, and nothing is released.
 */

describe("H7: a region of one meter", () => {
  it("the paper's rule gives way", () => {
    const alone = paperReading(640n, -77_000n, [1_234n, -99n]);
    expect(paperRegionSum([alone])).to.equal(640n);
    // Or a region of three, of which a leader puts two into the block: all three are known, one by one.
    const three = [640n, 90n, 1_210n].map((c, i) => paperReading(c, BigInt(i), [5n * c, 7n]));
    const sums = three.map((_, i) => paperRegionSum(three.filter((__, other) => other !== i)));
    const whole = paperRegionSum(three);
    expect(sums.map((sum) => whole - sum)).to.deep.equal([640n, 90n, 1_210n]);
  });

  it("ours holds", async () => {
    // Five homes in region 1, of which one is silenced in the first period, and four in region 2.
    const csv = MeterCsv.sgsc(9, 2, "2013-04-08T08:00Z");
    const seen = await inSmallWorld({
      csv,
      asked: { regions: 2, minReleaseMeters: 5 },
      watch: (world, run) => {
        withhold(world, 4, periodOf(run, 0));
      },
      look: async ({ view }, run) => {
        const periods = [0, 1].flatMap((n) => [1, 2].map((region) => ({ region, at: periodOf(run, n) })));
        return Promise.all(
          periods.map(async ({ region, at }) => {
            const mask = await view.mask(region, at);
            const price = await view.price(region, at);
            return { status: mask?.status, z: mask?.z, basis: price?.basis, consumption: price?.consumption };
          }),
        );
      },
    });
    const closed = { status: MASK_STATUS.tooFew, z: 0n, basis: BASIS.tooFew, consumption: 0n };
    const [silenced, few, open, fewAgain] = seen;
    expect([silenced, few, fewAgain]).to.deep.equal([closed, closed, closed]);
    const regionOne = csv.wattHours().filter((_, household) => household % 2 === 0);
    const due = regionOne.reduce((sum, [, wh]) => sum + (wh as bigint), 0n);
    expect(open).to.include({ status: MASK_STATUS.released, basis: BASIS.measured, consumption: due });
  });

  it("ours holds even if KGCBP releases, and no consortium can ask for less", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch());
    await chain.settle({}, chain.reports().slice(2));
    // KGCBP forgets the bound: four meters' masks.
    const release = chain.release({}, { ...chain.params, minReleaseMeters: 1 });
    expect(release.status).to.equal(MASK_STATUS.released);
    expect(await refused(chain, chain.at(masksDraft(chain.issuing, [release])))).to.equal("too-few-meters");
    const attempt = Promise.resolve(paramsOf({ minReleaseMeters: 4 })).then((params) => paramsCodec.encode(params));
    expect((await failureOf(attempt)).code).to.equal("out-of-range");
  });
});
