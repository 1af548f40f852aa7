import { expect } from "chai";
import { addPeriods, readingLeaf, toHex, type Period } from "@veilgrid/protocol";
import { SeededRandom } from "../../src/random.js";
import { FIRST, Grid, outcome } from "./grid.js";

/** A run is small by default; SLOW=1 makes ten times as many. */
const RUNS = process.env.SLOW === undefined ? 6 : 60;
const PERIODS = 3;
const METERS = 5;

interface Storm {
  readonly grid: Grid;
  readonly receipted: Map<string, Period>;
  readonly kills: number;
}

/**
 * Three periods in which aggregators die and come back at random, mostly one at a time and sometimes two, and a tenth of
 * all packets between them is lost; then all are up and the network is whole.
 */
async function storm(run: number): Promise<Storm> {
  const random = SeededRandom.of(`storm ${run}`);
  const grid = await new Grid({ seed: run, latencyMs: 400 }).start();
  await grid.commitEpoch(1, PERIODS, METERS);
  const receipted = new Map<string, Period>();
  let packets = 0;
  let kills = 0;
  const lift = grid.network.drop(() => random.below(10, "loss", (packets += 1)) === 0);
  const start = grid.window(FIRST).opens;
  const end = grid.window(addPeriods(FIRST, PERIODS - 1, 1800)).freezes + 120_000;
  for (let i = 0; i < 20; i += 1) {
    const at = start + random.below(end - start, "kill", i);
    const victim = random.below(4, "victim", i);
    grid.clock.at(at, "storm", () => {
      const up = grid.seats.filter(({ aggregator }) => aggregator !== undefined).length;
      if (up <= 2 || grid.seats[victim]?.aggregator === undefined) return;
      grid.kill(victim);
      kills += 1;
      grid.clock.at(grid.clock.now() + random.below(900_000, "away", i), "back", async () => {
        await grid.boot(victim);
      });
    });
  }
  for (let p = 0; p < PERIODS; p += 1) {
    const period = addPeriods(FIRST, p, 1800);
    const { opens } = grid.window(period);
    for (let half = 0; half < 2 * METERS; half += 1) {
      const at = opens + random.below(400_000, "send", p, half);
      grid.clock.at(at, "meter", () => {
        send(grid, period, half, half % 4, receipted);
      });
    }
  }
  await grid.run(end);
  lift();
  for (const [index, { aggregator }] of grid.seats.entries()) if (aggregator === undefined) await grid.boot(index);
  const last = addPeriods(FIRST, PERIODS - 1, 1800);
  await grid.until(async () => (await grid.view.readings(1, last)) !== undefined, 1_800);
  return { grid, receipted, kills };
}

function send(grid: Grid, period: Period, half: number, to: number, receipted: Map<string, Period>): void {
  const signed = grid.reading(1, period, half >> 1, half & 1);
  const asked = grid.ask(to, "reading", signed);
  grid.clock.at(grid.clock.now() + 13_000, "meter", () => {
    if (outcome(asked) === "accepted") receipted.set(toHex(readingLeaf(signed)), period);
    else if (grid.clock.now() < grid.window(period).closes) send(grid, period, half, (to + 1) % 4, receipted);
  });
}

describe("a storm of outages and losses", () => {
  it("ends with every receipted reading on the ledger, once", async () => {
    let kills = 0;
    let receipts = 0;
    for (let run = 1; run <= RUNS; run += 1) {
      const result = await storm(run);
      kills += result.kills;
      receipts += result.receipted.size;
      for (let p = 0; p < PERIODS; p += 1) {
        const period = addPeriods(FIRST, p, 1800);
        const record = await result.grid.view.readings(1, period);
        const block = await result.grid.view.block(1, record?.number ?? 0n);
        const leaves = (block?.block.leaves ?? []).map(toHex);
        const due = [...result.receipted].filter(([, of]) => of.k === period.k).map(([leaf]) => leaf);
        expect(leaves, `run ${run}, period ${p}`).to.include.members(due);
        expect(new Set(leaves).size, `run ${run}, period ${p}`).to.equal(leaves.length);
      }
    }
    expect(kills).to.be.greaterThan(5 * RUNS);
    // Most get through in spite of it all.
    expect(receipts).to.be.greaterThan(0.8 * RUNS * PERIODS * 2 * METERS);
  });
});
