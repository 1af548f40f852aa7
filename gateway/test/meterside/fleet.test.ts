import { isVeilgridError, window } from "@veilgrid/protocol";
import { expect } from "chai";
import { faultsOf, parseShare, type Shares } from "../../src/meterside/conduct.js";
import { latencyOf } from "../../src/meterside/fleet-figures.js";
import { FleetRun, type FleetOptions, type FleetReport } from "../../src/meterside/fleet-run.js";
import { silent } from "../../src/ports/log.js";
import type { Store } from "../../src/ports/store.js";
import { SeededRandom } from "../../src/random.js";
import { MemoryStore } from "../../src/store/memory.js";
import { Died, dying, type Crash } from "../support/disk.js";
import { FIRST } from "../da/grid.js";
import { HOUSEHOLDS, HALF_HOUR, BEGIN, MetersideWorld, after, metersOf } from "./world.js";

const METERS = 20;

function fleetIn(
  world: MetersideWorld,
  options: Partial<FleetOptions> = {},
  store: Store = new MemoryStore(),
): FleetRun {
  const { clock, params, consortium } = world;
  return new FleetRun(
    {
      ...{ params, consortium, meters: metersOf(METERS), shares: {}, inFlight: 16, giveUpMs: 60_000, slackMs: 5_000 },
      ...options,
    },
    {
      ...{ clock, store, transport: world.tapped("meter/fleet"), random: SeededRandom.of("fleet") },
      ...{ households: HOUSEHOLDS, log: silent, machine: () => clock.now() },
    },
  );
}

/** A fleet through so many periods, and their blocks. */
async function lived(periods: number, options: Partial<FleetOptions> = {}): Promise<[FleetReport, MetersideWorld]> {
  const world = await MetersideWorld.of(metersOf(METERS), periods);
  const fleet = fleetIn(world, { ...options, periods });
  await fleet.start();
  await world.run(window(after(periods - 1), world.params).closes + 10_000);
  await fleet.done;
  fleet.stop();
  return [fleet.report, world];
}

const ONE_EACH: Shares = { silent: 50_000, half: 50_000, late: 50_000, duplicate: 50_000, "wrong-clock": 50_000 };

describe("a fleet of simulated meters", () => {
  it("has a receipt for each half of each period, and the ledger has them all", async () => {
    const [report, world] = await lived(2);
    expect(report.periods).to.deep.equal([
      { start: "2013-04-08T00:00:00.000Z", recorded: 20, due: 40, receipted: 40 },
      { start: "2013-04-08T00:30:00.000Z", recorded: 20, due: 40, receipted: 40 },
    ]);
    const { figures, lost } = report;
    expect({ lost, halves: figures.halves, receipts: figures.receipts }).to.deep.equal({
      lost: 0,
      halves: 80,
      receipts: 80,
    });
    expect([await world.committed(after(0)), await world.committed(after(1))]).to.deep.equal([40, 40]);
    expect(world.contradictions).to.equal(0);
  });

  it("sends the halves of one meter at times of their own, throughout the window", async () => {
    const [, world] = await lived(1);
    const minutes = new Set(world.requests.map(({ at }) => Math.floor((at - BEGIN - HALF_HOUR) / 60_000)));
    expect(Math.min(...minutes)).to.be.at.least(0);
    expect(Math.max(...minutes)).to.be.within(7, 9);
    expect(minutes.size).to.be.above(7);
  });

  it("sends them in the window's first moments in a burst", async () => {
    const [report, world] = await lived(1, { withinMs: 2_000 });
    expect(Math.max(...world.requests.map(({ at }) => at - BEGIN - HALF_HOUR))).to.be.below(10_000);
    expect(report.lost).to.equal(0);
  });

  it("with one meter of each fault loses nothing of the others, and says what came of the faults", async () => {
    const [report, world] = await lived(2, { shares: ONE_EACH });
    expect(report.faulty).to.deep.equal({ silent: 1, half: 1, late: 1, duplicate: 1, "wrong-clock": 1 });
    expect(report.periods.map(({ recorded, due, receipted }) => [recorded, due, receipted])).to.deep.equal([
      [19, 32, 32],
      [19, 32, 32],
    ]);
    expect(report.lost).to.equal(0);
    expect(Object.keys(report.figures.refusals)).to.include("window-late");
    // 16 that are served, one of which is sent twice; one half of one meter; the wrong clock may get some in.
    const committed = await world.committed(after(1));
    expect(committed).to.be.within(33, 35);
    expect(world.contradictions).to.equal(0);
  });

  it("is the same again with the same seed", async () => {
    const [[one], [two]] = [await lived(1, { shares: ONE_EACH }), await lived(1, { shares: ONE_EACH })];
    expect(one).to.deep.equal(two);
    expect(one.figures.latency.p50).to.be.above(0);
  });

  it("asks no more at a time than it may", async () => {
    const [report] = await lived(1, { withinMs: 1, inFlight: 3 });
    expect(report.longestQueue).to.be.above(20);
    expect(report.lost).to.equal(0);
  });

  it("is not held up by an aggregator that is cut off: the others have their share of what is under way", async () => {
    const world = await MetersideWorld.of(metersOf(METERS), 1);
    const fleet = fleetIn(world, { periods: 1, withinMs: 1, inFlight: 8, giveUpMs: HALF_HOUR });
    world.network.drop(({ from, to }) => from === "da/Da3" || to === "da/Da3");
    await fleet.start();
    await world.run(window(FIRST, world.params).closes + 10_000);
    await fleet.done;
    fleet.stop();
    expect(fleet.report).to.deep.include({ lost: 0 });
    expect(await world.committed(FIRST)).to.equal(2 * METERS);
  });

  it("killed at any write goes on where it was: nothing lost, nothing sent with other bytes", async () => {
    // Four meters' keys, where it stands; then for each period record, where it stands, and the ends of its sendings.
    const meters = metersOf(4);
    for (const dies of [0, 3, 4, 5, 6, 7, 9, 11, 12, 14]) {
      const world = await MetersideWorld.of(meters, 2);
      const kept = new MemoryStore();
      const crash: Crash = { after: dies, writes: 0 };
      const first = fleetIn(world, { meters }, dying(kept, crash));
      await runUntilDeath(world, first, window(after(1), world.params).closes + 10_000);
      first.stop();
      expect(crash.writes).to.equal(dies);
      const second = fleetIn(world, { meters, periods: 2 }, kept);
      await second.start();
      await world.run(window(after(1), world.params).closes + 10_000);
      second.stop();
      expect(world.contradictions, `died at write ${dies}`).to.equal(0);
      expect(await world.committed(after(0)), `died at write ${dies}`).to.equal(8);
      expect(await world.committed(after(1)), `died at write ${dies}`).to.equal(8);
    }
  });
});

async function runUntilDeath(world: MetersideWorld, fleet: FleetRun, until: number): Promise<void> {
  try {
    await fleet.start();
    await world.run(until);
  } catch (error) {
    if (error instanceof Died || (isVeilgridError(error) && error.cause instanceof Died)) return;
    throw error;
  }
}

describe("faulty shares", () => {
  it("are parts of all meters, rounded, and drawn by the seed", () => {
    expect(["1%", "0.01", "12.5%", "100%", "0"].map(parseShare)).to.deep.equal([10_000, 10_000, 125_000, 1_000_000, 0]);
    const drawn = faultsOf({ silent: 10_000, half: 4_000 }, 1000, SeededRandom.of(1));
    expect(drawn.filter((fault) => fault === "silent")).to.have.length(10);
    expect(drawn.filter((fault) => fault === "half")).to.have.length(4);
    expect(drawn).to.deep.equal(faultsOf({ silent: 10_000, half: 4_000 }, 1000, SeededRandom.of(1)));
    expect(drawn).to.not.deep.equal(faultsOf({ silent: 10_000, half: 4_000 }, 1000, SeededRandom.of(2)));
  });

  it("that are no shares, or more than all, are refused", () => {
    for (const text of ["", "all", "-1%", "101%", "1.00001%", "2"]) expect(() => parseShare(text)).to.throw(/no share/);
    expect(() => faultsOf({ silent: 600_000, late: 500_000 }, 10, SeededRandom.of(1))).to.throw(/cannot be faulty/);
  });
});

describe("latencies", () => {
  it("are the smallest sample that so many do not exceed", () => {
    const samples = Array.from({ length: 200 }, (_, i) => 200 - i);
    expect(latencyOf(samples)).to.deep.equal({ count: 200, p50: 100, p95: 190, p99: 198, max: 200 });
    expect(latencyOf([])).to.deep.equal({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    expect(latencyOf([7])).to.deep.equal({ count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  });
});
