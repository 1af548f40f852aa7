import { expect } from "chai";
import { sub, sum, toSigned, type Reading } from "@veilgrid/protocol";
import type { RunArguments } from "@veilgrid/gateway";
import { periodAt, startedChain } from "../../src/consortium/chain.js";
import { masksDraft } from "../../src/consortium/issued.js";
import { refused } from "../../src/consortium/refused.js";
import { inSmallWorld, masksOf, periodOf, withhold } from "../../src/paper/small-world.js";
import { MeterCsv } from "../../src/world/meter-csv.js";

/*
 * The paper (section 5, Filter generation h; Finding faulty meters g): Z of every period is public from the start, and
 * Z' = Z - H3(z) - H3(z') follows for the meter whose readings did not come.
 * Ours (PROTOCOL section 4, Mask release): one Z for a period, after its block, for exactly the readings that count in it.
 * The paper's way is kept as release mode `upfront`, so that it can be attacked here as it is.
 */

/** Six real homes, two half-hours. */
const HOMES = MeterCsv.sgsc(6, 2, "2013-04-08T08:00Z");
/** Whose halves a malicious aggregator takes, and keeps to itself. */
const VICTIM = 3;
const OTHERS = [0, 1, 2, 4, 5];

/** What was withheld of the victim's first period, and every mask sum that was published of it. */
interface Withheld {
  readonly halves: readonly Reading[];
  readonly published: readonly bigint[];
  readonly victimsMasks: bigint;
  readonly othersMasks: bigint;
}

function withheldUnder(release: RunArguments["release"]): Promise<Withheld> {
  let halves: readonly Reading[] = [];
  return inSmallWorld({
    csv: HOMES,
    asked: { regions: 1, release },
    watch: (world, run) => {
      halves = withhold(world, VICTIM, periodOf(run, 0));
    },
    look: async (world, run) => {
      const at = periodOf(run, 0);
      const epoch = (await world.view.epochAt(1, at))?.epoch;
      const mask = await world.view.maskBody(1, at);
      const published = [epoch?.entries[at.k - epoch.first.k]?.z, mask?.z].filter((z) => z !== undefined);
      const victimsMasks = await masksOf(world, run, [VICTIM], at);
      return { halves, published, victimsMasks, othersMasks: await masksOf(world, run, OTHERS, at) };
    },
  });
}

describe("H5: mask sums before the readings", () => {
  it("the paper's rule gives way", async () => {
    const { halves, published } = await withheldUnder("upfront");
    const [z, corrected] = published as [bigint, bigint];
    // rc' + rc'' - (Z - Z'): what the victim's register says, to the watt-hour.
    const opened = sub(sum(halves.map(({ rc }) => rc)), sub(z, corrected));
    expect(toSigned(opened)).to.equal(HOMES.wattHours()[VICTIM]?.[0]);
    expect(toSigned(opened)).to.equal(47n);
  });

  it("ours holds", async () => {
    const { halves, published, victimsMasks, othersMasks } = await withheldUnder("after-commit");
    expect(halves).to.have.length(2);
    // All that is published is a function of the others' keys.
    expect(published).to.deep.equal([othersMasks]);
    // So the halves are open to whoever has the victim's key, and to nobody else.
    expect(toSigned(sub(sum(halves.map(({ rc }) => rc)), victimsMasks))).to.equal(47n);
  });

  it("ours holds against a second release, even if KGCBP signs it", async () => {
    const chain = await startedChain();
    await chain.commit(chain.epoch());
    const [, ...others] = chain.reports();
    await chain.settle({}, others);
    const release = chain.release();
    await chain.commit(chain.at(masksDraft(chain.issuing, [release])));
    const second = { ...release, z: sum(chain.meters.flatMap((m) => m.halves(chain.place()).map(({ mask }) => mask))) };
    expect(await refused(chain, chain.at(masksDraft(chain.issuing, [second])))).to.equal("mask-exists");
    expect((await chain.view.maskBody(1, periodAt(0)))?.z).to.equal(release.z);
  });
});
